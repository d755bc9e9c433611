#!/bin/bash
# Takes the API server away and brings it back; the rest of the node runs on.
set -eu
case $1 in
  stop)
    touch /run/lab/no-api
    pkill -KILL -x kube-apiserver || true
    while pgrep -x kube-apiserver >/dev/null; do sleep 0.05; done ;;
  start)
    if [ -e /run/lab/no-api ]; then rm -f /run/lab/no-api; echo "was stopped"; fi ;;
  followers)
    # They were refused while the new API server read its roles, and would look again up to half a minute later.
    pkill -KILL -x kube-controller || true
    pkill -KILL -x kube-scheduler || true ;;
esac
