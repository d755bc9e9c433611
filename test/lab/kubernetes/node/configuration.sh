#!/bin/bash
# Configuration files of containerd, its network, kubelet and kube-proxy. $1 the node's name.
set -eu
P=/etc/kubernetes/pki
mkdir -p /etc/cni/net.d /etc/kubernetes/manifests /etc/containerd/certs.d

cat > /etc/cni/net.d/10-lab.conflist <<C
{"cniVersion":"0.4.0","name":"lab","plugins":[
 {"type":"bridge","bridge":"cni0","isGateway":true,"isDefaultGateway":true,"ipMasq":true,"hairpinMode":true,
  "mtu":$(cat /sys/class/net/eth0/mtu),"ipam":{"type":"host-local","ranges":[[{"subnet":"10.244.0.0/24"}]]}},
 {"type":"portmap","capabilities":{"portMappings":true}}]}
C

# restrict_oom_score_adj: without CAP_SYS_RESOURCE a lower oom_score_adj is refused. certs.d is read at each pull.
cat > /etc/containerd/config.toml <<C
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "lab.local/pause:1"
  restrict_oom_score_adj = true
  enable_unprivileged_ports = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/etc/containerd/certs.d"
C

# KubeletInUserNamespace: tolerates the sysctls and the oom_score_adj that it may not set.
cat > /etc/kubernetes/kubelet.yaml <<C
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $P/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $P/kubelet-server.crt
tlsPrivateKeyFile: $P/kubelet-server.key
cgroupDriver: cgroupfs
failSwapOn: false
failCgroupV1: false
featureGates: {KubeletInUserNamespace: true}
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
resolvConf: /etc/kubernetes/resolv.conf
evictionHard: {memory.available: "100Mi", nodefs.available: "1%", imagefs.available: "1%", nodefs.inodesFree: "1%"}
imageGCHighThresholdPercent: 100
serializeImagePulls: false
registryPullQPS: 0
C
grep -v '^nameserver 127' /etc/resolv.conf > /etc/kubernetes/resolv.conf || true

cat > /etc/kubernetes/proxy.yaml <<C
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: /etc/kubernetes/proxy.conf}
mode: nftables
clusterCIDR: 10.244.0.0/16
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
C
