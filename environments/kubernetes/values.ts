import { z } from "zod"
import { Autoscaling, Schedule, type Track, track } from "./values/scaling.js"
import { Database, Migration } from "./values/database.js"
import { Exposure, Traffic } from "./values/exposure.js"
import { NetworkPolicy } from "./values/network.js"
import { Probe, Resources, SecurityContext, Volume } from "./values/pod.js"
import { Image, int, intOrPercent, label, passThrough } from "./values/types.js"

/**
 * Values of the chart in `chart/`. `chart/values.schema.json`, `chart/values.yaml` and the table in
 * docs/kubernetes-chart.md are generated from here (values-files.ts); a test compares them.
 */
export const ChartValues = z.strictObject({
  project: label.default("project").describe("The project: label app.kubernetes.io/part-of."),
  environment: label.default("default").describe("The environment: label gantry.dev/environment."),
  service: label.max(36).describe("Name of the service: first part of every object's name."),
  managedBy: z
    .string()
    .max(63)
    .default("")
    .describe("Label app.kubernetes.io/managed-by; empty: Helm's own. Gantry says gantry."),
  image: Image.describe("The service's image, by digest only."),
  imagePullSecrets: z.array(z.string()).default([]).describe("Names of Secrets with the registry's credentials."),
  workload: z
    .enum(["deployment", "statefulset"])
    .default("deployment")
    .describe("What holds the instances. A statefulset has volumes of its own and no tracks: rolling only."),
  volumes: z.array(Volume).default([]).describe("Volume claims of each instance of a statefulset."),
  track: track.default("blue").describe("The track whose Deployment is rendered."),
  releaseKey: z
    .string()
    .regex(/^([0-9a-f]{12})?$/)
    .default("")
    .describe("Identity of the release, 12 hex digits: label gantry.dev/release-key."),
  release: z.string().default("").describe("The release as JSON: annotation gantry.dev/release."),
  commit: z.string().default("").describe("The delivered commit: variable GANTRY_COMMIT."),
  configHash: z
    .string()
    .regex(/^([0-9a-f]{16,64})?$/)
    .default("")
    .describe("Hash of the configuration; its first 16 digits name the ConfigMap. Empty: that of the text."),
  config: z.string().default("").describe("Text of /config/application.yml."),
  env: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string())
    .default({})
    .describe("Variables that the service declares. Those that Gantry gives stand above them, PORT apart."),
  secrets: z.array(z.string()).default([]).describe("Names of existing Secrets whose keys become variables."),
  replicas: int(0, 1000).optional().describe("Instances. Left out where an autoscaler owns the number."),
  port: int(1, 65535).default(8080).describe("Port that an instance listens on."),
  calls: z.array(label).default([]).describe("Services it calls: <NAME>_URL, and the way there in the NetworkPolicy."),
  callers: z.array(label).default([]).describe("Services that may call it: the NetworkPolicy lets their pods in."),
  readiness: Probe.default("/").describe("Path that answers 200 when an instance may get traffic."),
  liveness: Probe.optional().describe(
    "Path that answers 200 while an instance lives. Without: the port has to accept connections.",
  ),
  metrics: Probe.optional().describe("Path of the figures for Prometheus: annotations prometheus.io/*."),
  startupSeconds: int(1, 3600).default(120).describe("How long an instance may take to become ready."),
  minReadySeconds: int(0, 3600).default(1).describe("An instance must have been ready for so long."),
  progressDeadlineSeconds: int(1, 7200).default(300).describe("Without progress for so long a rollout has failed."),
  rolling: z
    .strictObject({
      maxSurge: intOrPercent.default(1).describe("Instances beyond the wanted number while it rolls."),
      maxUnavailable: intOrPercent.default(0).describe("Instances that may be missing meanwhile."),
    })
    .prefault({})
    .describe("Rolling update of a Deployment."),
  drainSeconds: int(0, 3600)
    .default(10)
    .describe(
      "An instance that left its Services goes on serving for so long before SIGTERM (Kubernetes 1.30 or later).",
    ),
  graceSeconds: int(0, 3600).default(20).describe("Between SIGTERM and SIGKILL."),
  resources: Resources.prefault({}).describe("What an instance asks for and may take."),
  securityContext: SecurityContext.prefault({}).describe(
    "Who the process is. The rest is fixed: Pod Security's restricted.",
  ),
  tmpSize: z
    .string()
    .default("256Mi")
    .describe("Largest size of /tmp, the one place in the image that can be written to."),
  topologySpread: z.boolean().default(true).describe("Instances spread over zones and hosts, where that is possible."),
  nodeSelector: z.record(z.string(), z.string()).default({}).describe("As in a pod's specification."),
  tolerations: z.array(passThrough).default([]).describe("As in a pod's specification."),
  affinity: passThrough.default({}).describe("As in a pod's specification."),
  serviceAccount: z
    .string()
    .default("")
    .describe("An existing ServiceAccount. Empty: one of the service's own, without any right and without a token."),
  pdb: z
    .strictObject({
      enabled: z.boolean().default(true),
      minAvailable: intOrPercent.optional().describe("So many stay."),
      maxUnavailable: intOrPercent.optional().describe("So many may go at a time; 1 where neither is said."),
    })
    .refine((p) => p.minAvailable === undefined || p.maxUnavailable === undefined, "one of the two, not both")
    .prefault({})
    .describe("PodDisruptionBudget, where there is more than one instance."),
  autoscaling: Autoscaling.optional().describe("HorizontalPodAutoscaler of the active track. Without: none."),
  schedules: z.array(Schedule).default([]).describe("Scaling by the clock."),
  kubectl: z
    .string()
    .default("registry.k8s.io/kubectl:v1.34.4")
    .describe("Image that scheduled scaling runs kubectl from; better by digest, from a registry of one's own."),
  exposure: Exposure.default({ kind: "none" }).describe("How users reach the service from outside of the cluster."),
  traffic: Traffic.prefault({}).describe("Which track gets what."),
  networkPolicy: NetworkPolicy.prefault({}).describe("Who may talk to the pods, and to whom they may."),
  database: Database.optional().describe("A database of the service's own, in the cluster. Without: none."),
  migration: Migration.optional().describe("The job that migrates the database. Without: none."),
})
/** The values with their defaults filled in. */
export type ChartValues = z.output<typeof ChartValues>
/** What a caller writes. */
export type ChartInput = z.input<typeof ChartValues>
export type { Track }
