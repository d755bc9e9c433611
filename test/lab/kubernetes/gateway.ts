import { stringify } from "yaml"
import { inRange, type LabPorts } from "./ports.js"

/** The lab's GatewayClass and IngressClass; one Traefik serves both. */
export const gatewayClass = "traefik"
export const ingressClass = "nginx"
/** Where Traefik runs. A NetworkPolicy that lets it in names this namespace. */
export const gatewayNamespace = "traefik"
export const gatewayImage = "lab.local/traefik:1"
/** Its own entry point in the pod: metrics and ping. */
export const gatewayMetricsPort = 8080

const traefik = { name: "traefik", namespace: gatewayNamespace }
const labels = { app: "traefik" }
const watch = ["get", "list", "watch"]

/**
 * Traefik as a controller of the Gateway API and, in the manner of ingress-nginx, of Ingresses with its canary
 * annotations. An entry point's name says its port, and a listener finds it by its port. Each is a port of the host's
 * loopback, of the node, and of the pod.
 */
export function gatewayContent(ports: LabPorts): string {
  const entryPoints = [
    ...inRange(ports.gateway).map((port) => [`p${port}`, port] as const),
    ["ingress", ports.ingress] as const,
  ]
  const container = {
    name: "traefik",
    image: gatewayImage,
    args: [
      `--entryPoints.traefik.address=:${gatewayMetricsPort}`,
      ...entryPoints.map(([name, port]) => `--entryPoints.${name}.address=:${port}`),
      "--ping",
      "--metrics.prometheus",
      "--providers.providersThrottleDuration=100ms",
      "--providers.kubernetesGateway",
      "--providers.kubernetesGateway.statusAddress.ip=127.0.0.1",
      "--providers.kubernetesIngressNGINX",
      "--providers.kubernetesIngressNGINX.httpEntryPoint=ingress",
      "--providers.kubernetesIngressNGINX.publishStatusAddress=127.0.0.1",
      "--global.checkNewVersion=false",
      "--global.sendAnonymousUsage=false",
    ],
    ports: [
      { containerPort: gatewayMetricsPort, hostPort: gatewayMetricsPort, name: "metrics" },
      ...entryPoints.map(([, port]) => ({ containerPort: port, hostPort: port })),
    ],
    readinessProbe: { httpGet: { path: "/ping", port: gatewayMetricsPort }, periodSeconds: 1 },
  }
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: gatewayNamespace } },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: traefik },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: "lab:traefik" },
      rules: [
        { apiGroups: [""], resources: ["namespaces", "pods", "services", "secrets", "configmaps"], verbs: watch },
        { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: watch },
        { apiGroups: ["networking.k8s.io"], resources: ["ingresses", "ingressclasses"], verbs: watch },
        { apiGroups: ["networking.k8s.io"], resources: ["ingresses/status"], verbs: ["update", "patch"] },
        { apiGroups: ["gateway.networking.k8s.io"], resources: ["*"], verbs: [...watch, "update", "patch"] },
      ],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "lab:traefik" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "lab:traefik" },
      subjects: [{ kind: "ServiceAccount", ...traefik }],
    },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: traefik,
      spec: {
        // Host ports: a second one beside the first would find them taken.
        strategy: { type: "Recreate" },
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { serviceAccountName: traefik.name, containers: [container] },
        },
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: traefik,
      spec: { selector: labels, ports: [{ name: "metrics", port: gatewayMetricsPort }] },
    },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "IngressClass",
      metadata: { name: ingressClass },
      spec: { controller: "k8s.io/ingress-nginx" },
    },
    {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "GatewayClass",
      metadata: { name: gatewayClass },
      spec: { controllerName: "traefik.io/gateway-controller" },
    },
  ]
    .map((document) => stringify(document))
    .join("---\n")
}
