#!/bin/sh
# Maven, also behind a private certificate authority: Java reads no PEM bundle, so a truststore is made of the one that
# the build secret "ca" or SSL_CERT_FILE names. It lies outside of what an image keeps.
set -eu
# A build ends before the second compiler of the Java machine pays: half of the processor time would go into it.
quick="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
MAVEN_OPTS="$quick ${MAVEN_OPTS:-}"
export MAVEN_OPTS
bundle=/run/secrets/ca.pem
[ -f "$bundle" ] || bundle=${SSL_CERT_FILE:-}
if [ -n "$bundle" ] && [ -f "$bundle" ]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  # shellcheck disable=SC2086
  java $quick "$(dirname "$0")/Truststore.java" "$bundle" "$folder/trust.p12"
  MAVEN_OPTS="$MAVEN_OPTS -Djavax.net.ssl.trustStore=$folder/trust.p12 -Djavax.net.ssl.trustStorePassword=changeit"
fi
# File locks: several of these may work on one repository of downloads at the same time (Maven 3.9).
set -- -Daether.syncContext.named.factory=file-lock -Daether.syncContext.named.nameMapper=file-gav "$@"
# Not exec: the truststore goes when Maven has ended. Its answer is ours.
mvn --batch-mode --no-transfer-progress "$@"
