import { z } from "zod"
import type { ReleaseSpec } from "../release.js"
import { Dependencies } from "./dependencies/settings.js"
import { OwnManifests } from "./own/settings.js"
import { Autoscaling, Schedule } from "./values/scaling.js"
import { Resources, SecurityContext, Probe, Volume } from "./values/pod.js"
import { label, passThrough, quantity, intOrPercent } from "./values/types.js"

/** `{service}` and `{environment}` are filled in. */
const template = z.string().min(1)

/** How users reach the services of an environment. */
export const Expose = z.discriminatedUnion("kind", [
  /** The one Gateway with a wildcard host name that lets every namespace in, where the cluster has it; else ports of the nodes. */
  z.strictObject({ kind: z.literal("auto") }),
  z.strictObject({
    kind: z.literal("gateway"),
    gateway: label,
    namespace: label.optional(),
    /** Listeners of the Gateway: templates, e.g. "{service}". Without: any. */
    listener: template.optional(),
    previewListener: template.optional(),
    /** Host names: "{service}.uat.example.com". Without: those of the listener. */
    host: template.optional(),
    previewHost: template.optional(),
    /** What people reach the Gateway by where there are no host names. Default: the address that it tells itself. */
    address: z.string().optional(),
    /** Namespace from which its controller sends requests, which the services let in. Default: the Gateway's. */
    controllerNamespace: label.optional(),
  }),
  z.strictObject({
    kind: z.literal("ingress"),
    className: z.string().optional(),
    host: template,
    previewHost: template.optional(),
    tlsSecret: template.optional(),
    /** Where the ingress controller listens, if not on 80 or 443 of the host: "127.0.0.1:30080". */
    address: z.string().optional(),
    /** Namespace of the ingress controller, which the services let in. */
    controllerNamespace: label.default("ingress-nginx"),
  }),
  z.strictObject({
    kind: z.literal("nodePort"),
    /** An address of the nodes. */
    address: z.string().default("127.0.0.1"),
  }),
  z.strictObject({ kind: z.literal("none") }),
])
export type Expose = z.infer<typeof Expose>

/** What of the chart a project sets, for all services of an environment or for one. docs/kubernetes-chart.md */
export const Tuning = z.strictObject({
  resources: Resources.optional(),
  autoscaling: Autoscaling.optional(),
  schedules: z.array(Schedule).optional(),
  /** Image that schedules run kubectl from, one that the nodes can pull. */
  kubectl: z.string().optional(),
  pdb: z.strictObject({ minAvailable: intOrPercent.optional(), maxUnavailable: intOrPercent.optional() }).optional(),
  liveness: Probe.optional(),
  securityContext: SecurityContext.optional(),
  secrets: z.array(z.string()).optional(),
  imagePullSecrets: z.array(z.string()).optional(),
  nodeSelector: z.record(z.string(), z.string()).optional(),
  tolerations: z.array(passThrough).optional(),
  affinity: passThrough.optional(),
  serviceAccount: z.string().optional(),
  workload: z.enum(["deployment", "statefulset"]).optional(),
  volumes: z.array(Volume).optional(),
  /** Further ways out, as in a NetworkPolicy. */
  egress: z.array(passThrough).optional(),
  /** The service's own database in the cluster. */
  database: z
    .strictObject({
      storage: quantity.optional(),
      storageClass: z.string().optional(),
      resources: Resources.optional(),
      securityContext: SecurityContext.optional(),
    })
    .optional(),
})
export type Tuning = z.infer<typeof Tuning>

/** One service of an environment: as Gantry's chart runs it, or by objects of its own and then by nothing else. */
const ServiceTuning = Tuning.extend({ own: OwnManifests.optional() }).superRefine(({ own, ...others }, context) => {
  if (own === undefined) return
  for (const field of Object.keys(others)) {
    const message =
      "is of Gantry's chart: it says nothing to a service with `own`. Write it in the service's own objects"
    context.addIssue({ code: "custom", path: [field], message })
  }
})

/** The cluster of an environment, and how its services run there. */
export const KubernetesSettings = z.strictObject({
  /** Default: KUBECONFIG, else ~/.kube/config, else the account of the pod that Gantry runs in. */
  kubeconfig: z.string().optional(),
  /** Default: the current one. */
  context: z.string().optional(),
  /** Default: <project>-<environment>. It has to be there: `gantry env rbac`. */
  namespace: label.optional(),
  expose: Expose.default({ kind: "auto" }),
  /**
   * Addresses from which the API server reaches pods, e.g. ["10.0.0.10/32"]: the environment's Prometheus lets them in.
   * Not needed where the cluster's network lets in whatever comes from a pod's own node, and the API server is there.
   */
  apiServers: z.array(z.union([z.cidrv4(), z.cidrv6()])).default([]),
  /** For all services. */
  defaults: Tuning.default({}),
  /** For one, by its name; what it says stands above `defaults`. */
  services: z.record(z.string(), ServiceTuning).default({}),
  /** MySQL, Redis, RocketMQ of the environment's own. docs/kubernetes-dependencies.md */
  dependencies: Dependencies,
})
export type KubernetesSettings = z.infer<typeof KubernetesSettings>

/** Fields of a tuning that pods are made with; the others are the environment's. */
const ofPods = {
  resources: true,
  liveness: true,
  securityContext: true,
  secrets: true,
  imagePullSecrets: true,
  nodeSelector: true,
  tolerations: true,
  affinity: true,
  serviceAccount: true,
  workload: true,
  volumes: true,
} as const
export const PodTuning = Tuning.pick(ofPods)

/** What belongs to a release: changed settings are rolled out, and a rollback brings those back that it ran with. */
export function podTuning(settings: KubernetesSettings, service: string): ReleaseSpec["pods"] {
  const all = tuningOf(settings, service)
  const own = Object.entries(all).filter(([name, value]) => name in ofPods && value !== undefined)
  return own.length === 0 ? undefined : (JSON.parse(JSON.stringify(Object.fromEntries(own))) as ReleaseSpec["pods"])
}

export function tuningOf({ defaults, services }: KubernetesSettings, service: string): Tuning {
  const { own: _, ...tuning } = services[service] ?? {}
  return { ...defaults, ...tuning }
}

export function fill(text: string, names: { readonly service: string; readonly environment: string }): string {
  return text.replaceAll("{service}", names.service).replaceAll("{environment}", names.environment)
}
