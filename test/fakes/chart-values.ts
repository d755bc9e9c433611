import type { ChartInput } from "../../environments/kubernetes/values.js"

export const digest = (letter: string) => `sha256:${letter.repeat(64)}`

/** The least that the chart takes. */
export const least: ChartInput = {
  service: "order",
  image: { repository: "127.0.0.1:5000/shop/order", digest: digest("a") },
}

/** As the target gives them: everything that belongs to each instance. */
export const usual: ChartInput = {
  ...least,
  project: "shop",
  environment: "test",
  managedBy: "gantry",
  track: "green",
  releaseKey: "0123456789ab",
  release: JSON.stringify({ service: "order", config: "a: 1\n" }),
  commit: "4f2a91c0",
  configHash: "f".repeat(64),
  config: "a:\n  b: 'x'\n",
  env: { GREETING: 'say "hello": {{ not a template }}', PORT: "8081" },
  secrets: ["order-extra"],
  imagePullSecrets: ["registry"],
  replicas: 3,
  port: 8081,
  calls: ["catalog-api"],
  callers: ["web"],
  readiness: "/actuator/health/readiness",
  metrics: "/actuator/prometheus",
  rolling: { maxSurge: "25%", maxUnavailable: 0 },
  networkPolicy: { from: ["gateway"], prometheus: { namespace: "monitoring" } },
}

const database: ChartInput["database"] = {
  kind: "mariadb",
  image: { repository: "docker.io/library/mariadb", digest: digest("b") },
  name: "orders",
  user: "orders",
  secret: "order-db",
}
const autoscaling: ChartInput["autoscaling"] = {
  min: 2,
  max: 6,
  cpu: 70,
  memory: 80,
  requestsPerSecond: { average: "50" },
}

/** Each of what the chart can do, alone and where it meets something else. */
export const combinations: Readonly<Record<string, ChartInput>> = {
  least,
  usual,
  "a drain of nothing, a liveness path, no policy": {
    ...usual,
    drainSeconds: 0,
    liveness: "/live",
    networkPolicy: { enabled: false },
  },
  "an autoscaler and the clock": {
    ...usual,
    replicas: undefined,
    autoscaling,
    schedules: [
      { name: "morning", cron: "0 8 * * 1-5", timeZone: "Asia/Shanghai", min: 4, max: 12 },
      { name: "night", cron: "0 22 * * *", min: 1 },
    ],
  },
  "the clock without an autoscaler": { ...usual, schedules: [{ name: "sale", cron: "0 0 11 11 *", replicas: 9 }] },
  "a database and its migration": {
    ...usual,
    database,
    migration: { command: ["/bin/sh", "-c", "npm run migrate"], key: "k1", timeoutSeconds: 60 },
  },
  "a migration of a database elsewhere": {
    ...usual,
    migration: { command: ["migrate"] },
    networkPolicy: { egress: [{ to: [{ ipBlock: { cidr: "10.1.2.3/32" } }], ports: [{ port: 3306 }] }] },
  },
  "ports of the nodes": {
    ...usual,
    exposure: { kind: "nodePort", port: 30080, previewPort: 30081 },
    traffic: { active: "green", preview: "blue" },
  },
  "a gateway with weights and testers": {
    ...usual,
    exposure: {
      kind: "gateway",
      gateway: "public",
      namespace: "gateway",
      hostnames: ["order.example"],
      preview: { hostnames: ["preview.order.example"] },
    },
    traffic: {
      active: "blue",
      weights: { blue: 95, green: 5 },
      preview: "green",
      testers: { name: "X-Tester", value: "yes" },
    },
  },
  "an ingress with weights and testers": {
    ...usual,
    exposure: {
      kind: "ingress",
      className: "nginx",
      host: "order.example",
      tls: { secretName: "order-tls" },
      preview: { host: "preview.order.example" },
    },
    traffic: {
      active: "blue",
      weights: { blue: 90, green: 10 },
      preview: "green",
      testers: { name: "X-Tester", value: "yes" },
    },
  },
  "an ingress of another controller": {
    ...usual,
    exposure: { kind: "ingress", className: "other", host: "order.example", canary: false },
  },
  "shares by replicas": {
    ...usual,
    exposure: { kind: "gateway", gateway: "public" },
    traffic: { active: "blue", byReplicas: true, preview: "green" },
  },
  "a statefulset with volumes": {
    ...usual,
    workload: "statefulset",
    volumes: [{ name: "data", mountPath: "/data", size: "1Gi", storageClass: "fast" }],
    autoscaling,
    exposure: { kind: "gateway", gateway: "public", preview: { hostnames: ["p.example"] } },
  },
  "placed by hand": {
    ...usual,
    nodeSelector: { disk: "ssd" },
    tolerations: [{ key: "shop", operator: "Exists" }],
    affinity: { podAntiAffinity: {} },
    topologySpread: false,
    serviceAccount: "own",
    pdb: { minAvailable: "50%" },
  },
}
