import type { KubeObject } from "../../clients/kubernetes/index.js"
import { fault } from "../../core/errors.js"
import { canonicalJson, type Json } from "../../core/json.js"
import { releaseKey, type ReleaseSpec } from "../release.js"
import type { RollingStrategy } from "../strategies/settings.js"
import { databaseSecret } from "./database.js"
import type { Exposed } from "./exposure.js"
import { labels, type Part } from "./labels.js"
import { renderChart } from "./render.js"
import type { Scene } from "./scene.js"
import { PodTuning, tuningOf } from "./settings.js"
import type { TrafficState } from "./traffic.js"
import type { ChartInput, Track } from "./values.js"
import type { Task } from "../task.js"

/** What of a service is to be in the cluster. */
export interface Wanted {
  readonly release: ReleaseSpec
  readonly track: Track
  /** Undefined: an autoscaler has the say. */
  readonly replicas: number | undefined
  readonly traffic: TrafficState
  readonly pace: Pick<
    RollingStrategy,
    "maxSurge" | "maxUnavailable" | "minReadySeconds" | "drainSeconds" | "graceSeconds" | "progressDeadlineSeconds"
  >
  readonly task?: Task | undefined
}

/** The chart's values for it. Pure. @throws DEPLOY-DIGEST */
export function chartValues(
  scene: Pick<Scene, "project" | "environment" | "service" | "callers">,
  wanted: Wanted,
  exposed: Exposed,
  databaseImage: string | undefined,
): ChartInput {
  const { project, environment, service, callers } = scene
  const { release, track, replicas, traffic, pace, task } = wanted
  const tuning = tuningOf(environment.kubernetes, service)
  const { egress, database, pdb, autoscaling, schedules, kubectl } = tuning
  // As the release was made with: what the environment says now is the next one's.
  const pods = PodTuning.catch({}).parse(release.pods ?? {})
  const testers = environment.strategy.kind === "canary" && exposed.testers ? environment.strategy.testers : undefined
  return {
    project,
    environment: environment.name,
    service,
    managedBy: "gantry",
    image: imageOf(release.reference),
    track,
    releaseKey: releaseKey(release),
    // Always the same text for the same release: another one would make other pods.
    release: canonicalJson(release),
    commit: release.commit,
    configHash: release.configHash,
    config: release.config,
    env: release.env,
    ...(replicas === undefined ? {} : { replicas }),
    port: release.port,
    calls: release.calls,
    callers: [...callers],
    readiness: release.readiness,
    ...(release.metrics === undefined ? {} : { metrics: release.metrics }),
    startupSeconds: Math.ceil(release.startupSeconds),
    minReadySeconds: Math.ceil(pace.minReadySeconds),
    progressDeadlineSeconds: Math.max(Math.ceil(pace.progressDeadlineSeconds), Math.ceil(pace.minReadySeconds) + 1),
    rolling: { maxSurge: pace.maxSurge, maxUnavailable: pace.maxUnavailable },
    drainSeconds: Math.ceil(pace.drainSeconds),
    graceSeconds: Math.ceil(pace.graceSeconds),
    exposure: exposed.values,
    traffic: {
      active: traffic.active,
      weights: traffic.shares,
      preview: traffic.preview,
      byReplicas: exposed.byReplicas && traffic.weights.blue > 0 && traffic.weights.green > 0,
      ...(traffic.held === true ? { held: true } : {}),
      note: JSON.stringify(traffic),
      ...(testers === undefined ? {} : { testers }),
    },
    networkPolicy: { from: [...exposed.from], ...(egress === undefined ? {} : { egress }) },
    ...(pdb === undefined ? {} : { pdb }),
    ...defined({ autoscaling, schedules, kubectl }),
    ...defined(pods),
    ...(pods.resources === undefined && release.resources.memoryMB !== undefined
      ? { resources: limited(release.resources) }
      : {}),
    ...(databaseImage === undefined
      ? {}
      : {
          database: {
            kind: "mariadb" as const,
            image: imageOf(databaseImage),
            name: databaseName(service),
            user: databaseName(service),
            secret: databaseSecret(service),
            ...defined(database ?? {}),
          },
        }),
    ...(task === undefined
      ? {}
      : {
          migration: {
            command: [...task.command],
            key: task.key,
            timeoutSeconds: Math.ceil(task.timeoutSeconds),
            prepareSeconds: Math.ceil(pace.progressDeadlineSeconds),
          },
        }),
  }
}

export const databaseName = (service: string) => service.replaceAll("-", "_")

/** The objects of a service, ready to be applied to its namespace. @throws CHART-VALUES, CHART-RENDER */
export async function objectsFor(scene: Scene, wanted: Wanted): Promise<readonly KubeObject[]> {
  const [exposed, database] = await Promise.all([
    scene.exposed(),
    wanted.release.database === undefined ? undefined : scene.image(databaseReference),
  ])
  const { namespace, rendered, tools } = scene
  const values = chartValues(scene, wanted, exposed, database)
  const key = canonicalJson(values as Json)
  const known = rendered.get(key)
  if (known !== undefined) return known
  const objects = renderChart(tools, values, { namespace }).then((all) =>
    (all as readonly KubeObject[]).map((o) => ({ ...o, metadata: { ...o.metadata, namespace } })),
  )
  rendered.set(key, objects)
  objects.catch(() => rendered.delete(key))
  return objects
}

/** Public name of the image of the environments' databases. */
export const databaseReference = "docker.io/library/mariadb:11.8"

export const partOf = (object: KubeObject): Part | undefined =>
  object.metadata.labels?.[labels.part] as Part | undefined

function limited({ memoryMB, cpus }: ReleaseSpec["resources"]): ChartInput["resources"] {
  const memory = memoryMB === undefined ? {} : { memory: `${memoryMB}Mi` }
  const cpu = cpus === undefined ? {} : { cpu: `${Math.round(cpus * 1000)}m` }
  // Memory cannot be taken back from whoever has it: what may be used is asked for.
  return { limits: { ...memory, ...cpu }, requests: memory }
}

const defined = <T extends object>(all: T): T =>
  Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as T

/** @throws DEPLOY-DIGEST for a reference that is not by digest */
export function imageOf(reference: string): { readonly repository: string; readonly digest: string } {
  const [repository = "", digest] = reference.split("@")
  if (digest !== undefined) return { repository: repository.replace(/:[^/:]+$/, keepPort(repository)), digest }
  throw fault({
    code: "DEPLOY-DIGEST",
    kind: "failed",
    message: `${reference} is not a reference by digest`,
    reason: "What is deployed is named by its digest alone: a tag can be moved.",
  })
}

/** A colon behind the last slash is a tag's; "127.0.0.1:5000/x" has none there. */
const keepPort = (repository: string) => (repository.includes("/") ? "" : (/:[^/:]+$/.exec(repository)?.[0] ?? ""))
