import type { KubeObject } from "../../clients/kubernetes/index.js"
import { sha256 } from "../../core/json.js"
import { prometheusArguments, prometheusMemoryMB } from "../prometheus.js"
import { annotations } from "./labels.js"
import { ownLabels } from "./memory-place.js"
import { prometheusConfig } from "./prometheus-config.js"

/** Name of all its objects. */
export const prometheusName = "prometheus"
export const prometheusPort = 9090

export interface PrometheusPlace {
  readonly namespace: string
  readonly project: string
  readonly environment: string
  /** By digest. */
  readonly image: string
  /** Addresses from which the API server reaches pods, as CIDR. */
  readonly apiServers: readonly string[]
  /** Ports at which the API server may be. */
  readonly apiPorts: readonly number[]
}

const config = "/etc/prometheus"
const data = "/prometheus"
/** nobody, as in the official image. */
const user = 65534

/**
 * The Prometheus of an environment, in its namespace: it sees the pods there, scrapes them, and is reached through the API
 * server alone. Pure. Plain objects, not templates of the chart: that belongs to one service, this to all of them,
 * and there is nothing in it that anybody would want to set.
 */
export function prometheusObjects(place: PrometheusPlace): readonly KubeObject[] {
  const { namespace, project, environment } = place
  const labels = ownLabels({ project, environment, service: prometheusName }, "metrics")
  const metadata = { name: prometheusName, namespace, labels }
  const rbac = "rbac.authorization.k8s.io"
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata, automountServiceAccountToken: false },
    {
      apiVersion: `${rbac}/v1`,
      kind: "Role",
      metadata,
      rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] }],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: rbac, kind: "Role", name: prometheusName },
      subjects: [{ kind: "ServiceAccount", name: prometheusName, namespace }],
    },
    { apiVersion: "v1", kind: "ConfigMap", metadata, data: { "prometheus.yml": prometheusConfig(namespace) } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: {
        selector: labels,
        ports: [{ name: "web", port: prometheusPort, targetPort: "web", protocol: "TCP" }],
      },
    },
    { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec: policy(place, labels) },
    { apiVersion: "apps/v1", kind: "Deployment", metadata, spec: deployment(place, labels) },
  ]
}

/** Who is asked without a login must not be reached by everybody: no pod, only the API server, which asks who it is. */
function policy({ apiServers, apiPorts }: PrometheusPlace, labels: Readonly<Record<string, string>>): object {
  const tcp = (port: number | string) => ({ protocol: "TCP", port })
  return {
    podSelector: { matchLabels: labels },
    policyTypes: ["Ingress", "Egress"],
    // What comes from the pod's own node the cluster's network lets in: the kubelet's probes, too.
    ingress:
      apiServers.length === 0
        ? []
        : [{ from: apiServers.map((cidr) => ({ ipBlock: { cidr } })), ports: [tcp(prometheusPort)] }],
    egress: [
      // Each service chose its port.
      { to: [{ podSelector: {} }] },
      // Which pods there are. The API server's address is the cluster's affair, its port one of these.
      { ports: [...new Set([443, 6443, ...apiPorts])].map(tcp) },
    ],
  }
}

function deployment({ namespace, image }: PrometheusPlace, labels: Readonly<Record<string, string>>): object {
  const probe = (path: string) => ({ httpGet: { path, port: "web" }, periodSeconds: 2, timeoutSeconds: 2 })
  return {
    replicas: 1,
    // A second one beside it would have half of the figures, and no more of the past.
    strategy: { type: "Recreate" },
    selector: { matchLabels: labels },
    template: {
      metadata: {
        labels,
        // It reads its configuration when it starts.
        annotations: { [annotations.configHash]: sha256(prometheusConfig(namespace)) },
      },
      spec: {
        serviceAccountName: prometheusName,
        automountServiceAccountToken: true,
        enableServiceLinks: false,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: user,
          runAsGroup: user,
          fsGroup: user,
          seccompProfile: { type: "RuntimeDefault" },
        },
        containers: [
          {
            name: prometheusName,
            image,
            imagePullPolicy: "IfNotPresent",
            command: ["prometheus"],
            args: prometheusArguments(`${config}/prometheus.yml`, data),
            // Collects its garbage in time rather than meet the limit.
            env: [{ name: "GOMEMLIMIT", value: `${Math.round(prometheusMemoryMB * 0.8)}MiB` }],
            ports: [{ name: "web", containerPort: prometheusPort, protocol: "TCP" }],
            startupProbe: { ...probe("/-/ready"), periodSeconds: 1, failureThreshold: 60 },
            readinessProbe: probe("/-/ready"),
            livenessProbe: { ...probe("/-/healthy"), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
            resources: {
              requests: { cpu: "20m", memory: "64Mi" },
              limits: { cpu: "1", memory: `${prometheusMemoryMB}Mi` },
            },
            securityContext: {
              allowPrivilegeEscalation: false,
              privileged: false,
              readOnlyRootFilesystem: true,
              runAsNonRoot: true,
              capabilities: { drop: ["ALL"] },
              seccompProfile: { type: "RuntimeDefault" },
            },
            volumeMounts: [
              { name: "config", mountPath: config, readOnly: true },
              { name: "data", mountPath: data },
            ],
          },
        ],
        volumes: [
          { name: "config", configMap: { name: prometheusName } },
          // Figures of hours, which a rollout can do without: a volume would outlive it for nothing.
          { name: "data", emptyDir: { sizeLimit: "1Gi" } },
        ],
      },
    },
  }
}
