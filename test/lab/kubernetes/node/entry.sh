#!/bin/bash
# A whole single-node Kubernetes inside this container: etcd, control plane, containerd, kubelet, kube-proxy, NetworkPolicies, volumes.
# Programs lie in /opt/kubernetes and /opt/lab (mounted). /var/lib/etcd is a tmpfs, so a cluster lives as long as its container;
# /var/lib/{containerd,kubelet} are volumes: overlayfs cannot lie on overlayfs.
#   NODE_PORTS first-last   IMAGES archive of images to import   TAGS "name=other name …" names that they get beside
# /run/lab/ready is there when the node is; while /run/lab/no-api is there, the API server is kept down.
set -eu
LIB=/usr/local/lib/lab NODE=$(hostname) P=/etc/kubernetes/pki L=/var/log/kubernetes
IP=$(ip -4 -o addr show eth0 | awk '{print $4}' | cut -d/ -f1)
export PATH=/opt/kubernetes:/opt/lab:$PATH
mkdir -p /run/lab $L /var/lib/etcd
say() { echo "$(date +%T.%N | cut -c1-12) $*"; }

# --- what a container lacks to be a node
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  # cgroup v2: the processes leave the root group, so that its controllers may be handed down.
  mkdir -p /sys/fs/cgroup/init
  xargs -rn1 < /sys/fs/cgroup/cgroup.procs > /sys/fs/cgroup/init/cgroup.procs || :
  sed -e 's/ / +/g' -e 's/^/+/' < /sys/fs/cgroup/cgroup.controllers > /sys/fs/cgroup/cgroup.subtree_control || :
else
  for m in /sys/fs/cgroup/*/; do mount -o remount,rw,bind "$m"; done   # the Docker Engine mounts them read-only
fi
mount --make-rshared /
[ -s /etc/machine-id ] || tr -d - < /proc/sys/kernel/random/uuid > /etc/machine-id
# Without the second, what goes from pod to pod over the bridge passes no NetworkPolicy.
sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1
# A Service's address that kube-proxy has not translated yet must fail here, not leave by the default route
# (something out there may answer, and clients keep such a connection).
for c in OUTPUT FORWARD; do iptables -I $c -d 10.96.0.0/16 -j REJECT; done
# What comes from the host by a published port (NodePorts, the gateway) counts as the node's own traffic, which NetworkPolicies let
# pass: kube-proxy gives it the node's address only after the rules have seen it. The mark is kube-router's "let in".
iptables -t mangle -A FORWARD -i eth0 -s "$(ip route show default | awk '{print $3}')" -j MARK --set-xmark 0x10000/0x10000
$LIB/certificates.sh "$NODE" "$IP"
$LIB/configuration.sh "$NODE"

# --- processes
PIDS=()
start() { local n=$1; shift; "$@" > "$L/$n.log" 2>&1 & PIDS+=($!); say "started $n"; }
wait_for() { local n=0; until "$@" >/dev/null 2>&1; do n=$((n+1)); [ $n -lt 900 ] || { say "gave up on: $*"; exit 1; }; sleep 0.1; done; }
kc() { kubectl --kubeconfig /etc/kubernetes/admin.conf "$@"; }
# A part of the control plane comes back when it ends, as a real one's does; the API server not while it is kept down.
keep() {
  local pid=
  trap 'kill $pid 2>/dev/null; wait $pid || true; exit 0' TERM
  while :; do
    "$@" & pid=$!
    wait $pid || true
    say "ended: $1"
    while [ "$1" = kube-apiserver ] && [ -e /run/lab/no-api ]; do sleep 0.1; done
    sleep 0.2
  done
}
import() {
  [ -n "${IMAGES:-}" ] || return 0
  ctr -n k8s.io images import "$IMAGES" >/dev/null
  for tag in ${TAGS:-}; do ctr -n k8s.io images tag --force "${tag%%=*}" "${tag#*=}" >/dev/null; done
  say "imported images"
}

start containerd containerd
start etcd etcd --name lab --data-dir /var/lib/etcd --unsafe-no-fsync \
  --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380 \
  --initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster lab=http://127.0.0.1:2380
wait_for curl -fsS http://127.0.0.1:2379/health
start apiserver keep kube-apiserver --etcd-servers=http://127.0.0.1:2379 --advertise-address="$IP" --secure-port=6443 \
  --service-cluster-ip-range=10.96.0.0/16 --service-node-port-range="$NODE_PORTS" --authorization-mode=Node,RBAC \
  --enable-admission-plugins=NodeRestriction --anonymous-auth=false \
  --client-ca-file=$P/ca.crt --tls-cert-file=$P/apiserver.crt --tls-private-key-file=$P/apiserver.key \
  --kubelet-certificate-authority=$P/ca.crt --kubelet-client-certificate=$P/apiserver-kubelet.crt --kubelet-client-key=$P/apiserver-kubelet.key \
  --requestheader-client-ca-file=$P/front-ca.crt --requestheader-allowed-names=front-proxy-client --requestheader-username-headers=X-Remote-User \
  --requestheader-group-headers=X-Remote-Group --requestheader-extra-headers-prefix=X-Remote-Extra- \
  --proxy-client-cert-file=$P/front.crt --proxy-client-key-file=$P/front.key \
  --service-account-issuer=https://kubernetes.default.svc --service-account-key-file=$P/sa.pub --service-account-signing-key-file=$P/sa.key
wait_for ctr version
import & IMPORT=$!
wait_for kc get --raw /readyz
say "API server ready"
# Quicker than the defaults where a test would wait minutes for it.
start controller-manager keep kube-controller-manager --kubeconfig=/etc/kubernetes/controller-manager.conf --use-service-account-credentials \
  --service-account-private-key-file=$P/sa.key --root-ca-file=$P/ca.crt --cluster-signing-cert-file=$P/ca.crt --cluster-signing-key-file=$P/ca.key \
  --leader-elect=false --bind-address=127.0.0.1 --horizontal-pod-autoscaler-sync-period=5s --horizontal-pod-autoscaler-downscale-stabilization=20s \
  --horizontal-pod-autoscaler-cpu-initialization-period=10s --horizontal-pod-autoscaler-initial-readiness-delay=5s
start scheduler keep kube-scheduler --kubeconfig=/etc/kubernetes/scheduler.conf --leader-elect=false --bind-address=127.0.0.1
wait $IMPORT
start kubelet kubelet --config=/etc/kubernetes/kubelet.yaml --kubeconfig=/etc/kubernetes/kubelet.conf --node-ip="$IP" --hostname-override="$NODE"
start proxy kube-proxy --config=/etc/kubernetes/proxy.yaml --hostname-override="$NODE"
wait_for kc get node "$NODE"
start policies policies --kubeconfig=/etc/kubernetes/admin.conf --hostname-override="$NODE" \
  --service-cluster-ip-range=10.96.0.0/16 --service-node-port-range="$NODE_PORTS"
mkdir -p /var/lib/kubelet/lab-volumes
start volumes volumes -kubeconfig /etc/kubernetes/admin.conf -root /var/lib/kubelet/lab-volumes -node "$NODE"
wait_for kc wait --for=condition=Ready "node/$NODE" --timeout=1s
say "node ready"
touch /run/lab/ready

# --- until stopped, or until one of the other processes ends; pods' processes go with the container
trap 'kill "${PIDS[@]}" 2>/dev/null; exit 0' TERM INT
wait -n "${PIDS[@]}" || true
say "a component ended"; for l in $L/*.log; do echo "== $l"; tail -3 "$l"; done; exit 1
