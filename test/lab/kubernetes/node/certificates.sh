#!/bin/bash
# One CA for the cluster; a client certificate is an identity (CN user, O group). Writes /etc/kubernetes/*.conf.
# $1 the node's name, $2 its address. The API server is reached from the host by 127.0.0.1 and localhost.
set -eu
NODE=$1 IP=$2 P=/etc/kubernetes/pki
mkdir -p $P

key() { openssl ecparam -name prime256v1 -genkey -noout -out "$P/$1.key"; }
ca() { key "$1"; openssl req -x509 -new -key "$P/$1.key" -subj "/CN=$1" -days 30 -out "$P/$1.crt" -addext keyUsage=critical,keyCertSign,cRLSign; }
cert() { # authority name subject usage san
  key "$2"
  openssl req -new -key "$P/$2.key" -subj "$3" | openssl x509 -req -CA "$P/$1.crt" -CAkey "$P/$1.key" -CAcreateserial -days 30 -out "$P/$2.crt" \
    -extfile <(printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=%s\n%s' "$4" "${5:+subjectAltName=$5}") 2>/dev/null
}
ca ca
cert ca apiserver /CN=kube-apiserver serverAuth "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,DNS:localhost,DNS:$NODE,IP:127.0.0.1,IP:10.96.0.1,IP:$IP"
cert ca apiserver-kubelet "/O=system:masters/CN=kube-apiserver-kubelet-client" clientAuth
cert ca kubelet-server "/O=system:nodes/CN=system:node:$NODE" serverAuth "DNS:$NODE,IP:$IP,IP:127.0.0.1"
cert ca kubelet "/O=system:nodes/CN=system:node:$NODE" clientAuth
cert ca admin "/O=system:masters/CN=admin" clientAuth
cert ca controller-manager /CN=system:kube-controller-manager clientAuth
cert ca scheduler /CN=system:kube-scheduler clientAuth
cert ca proxy /CN=system:kube-proxy clientAuth
# Aggregated APIs (metrics.k8s.io) know the API server by a CA of its own.
ca front-ca
cert front-ca front /CN=front-proxy-client clientAuth
key sa; openssl ec -in $P/sa.key -pubout -out $P/sa.pub 2>/dev/null

for user in admin controller-manager scheduler proxy kubelet; do
  cat > "/etc/kubernetes/$user.conf" <<K
apiVersion: v1
kind: Config
clusters: [{name: $NODE, cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: $(base64 -w0 $P/ca.crt)}}]
users: [{name: $user, user: {client-certificate-data: $(base64 -w0 $P/$user.crt), client-key-data: $(base64 -w0 $P/$user.key)}}]
contexts: [{name: $NODE, context: {cluster: $NODE, user: $user}}]
current-context: $NODE
K
done
