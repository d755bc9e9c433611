import { setTimeout as sleep } from "node:timers/promises"
import { prometheusClient, type Prometheus } from "../../clients/prometheus/index.js"
import { fault, isFault } from "../../core/errors.js"
import type { EngineContext } from "../../engine/context.js"
import { pods } from "../analysis/pods.js"
import type { MetricsSource } from "../analysis/verdict.js"
import { prometheusImage } from "../prometheus.js"
import { isGoing, isOver, type Deployment, type Pod } from "./kinds.js"
import { labels } from "./labels.js"
import { prometheusName, prometheusObjects } from "./prometheus.js"
import { throughApiServer } from "./proxy.js"
import type { Scene } from "./scene.js"
import { failureOf, troubleOf } from "./trouble.js"

/** Its image may have to be pulled. Seconds. */
const startSeconds = 120
/** Until what was applied is under way. Seconds. */
const settleSeconds = 10
const pollMs = 500

/** Lately, and not only before it was killed: it looks at itself every two seconds. */
const alive = 'time() - timestamp(up{job="prometheus"}) < 10'

type Place = Pick<Scene, "cluster" | "namespace" | "project" | "environment" | "image" | "tell">

/**
 * Figures of the environment, once they can be asked for: of the Prometheus that it names, else of its own.
 * @throws METRICS-UNREACHABLE
 */
export async function metricsOf(scene: Place, engine: EngineContext, signal: AbortSignal): Promise<MetricsSource> {
  const { environment } = scene
  if (environment.prometheus !== undefined) {
    return withPods(prometheusClient({ url: environment.prometheus.url, ca: engine.ca }))
  }
  const client = prometheusClient({
    url: `${scene.cluster.server}, service ${prometheusName} in ${scene.namespace}`,
    send: throughApiServer(scene),
    hint: hintOf(scene),
  })
  if (!(await isUp(client, signal))) {
    await applyPrometheus(scene)
    await untilUp(scene, client, signal)
  }
  return withPods(client)
}

const withPods = (client: Prometheus): MetricsSource => ({ ...client, dialect: pods })

/** Makes the environment's Prometheus, or brings it to what it should be. It need not be ready yet. */
export async function applyPrometheus(scene: Place): Promise<void> {
  const { cluster, namespace, project, environment } = scene
  const port = Number(new URL(cluster.server).port)
  const objects = prometheusObjects({
    namespace,
    project,
    environment: environment.name,
    image: await scene.image(prometheusImage),
    apiServers: environment.kubernetes.apiServers,
    apiPorts: port > 0 ? [port] : [],
  })
  // One after the other: a binding is refused where its role is not there yet.
  for (const object of objects) await cluster.apply(object)
}

/** A release must be able to come back without figures: then only judging fails, and says so. */
export async function tryPrometheus(scene: Place): Promise<void> {
  try {
    await applyPrometheus(scene)
  } catch (error) {
    const code = isFault(error) ? `${error.code}: ` : ""
    scene.tell(`the Prometheus of ${scene.environment.name} cannot be made: ${code}${(error as Error).message}`)
  }
}

async function isUp(client: Prometheus, signal: AbortSignal): Promise<boolean> {
  try {
    return (await client.isReady(signal)) && (await client.query(alive, signal)) !== undefined
  } catch (error) {
    // It may go between the two questions: a node that is emptied, an update.
    if (isFault(error) && error.code === "METRICS-UNREACHABLE") return false
    throw error
  }
}

async function untilUp(scene: Place, client: Prometheus, signal: AbortSignal): Promise<void> {
  const started = performance.now()
  while (!(await isUp(client, signal).catch(() => false))) {
    signal.throwIfAborted()
    const seconds = (performance.now() - started) / 1000
    const trouble = await troubleWith(scene)
    // One that was there before may be on its way out; one that crashed is started again.
    const ends = trouble !== undefined && trouble.kind !== "crash" && seconds > settleSeconds
    if (ends || seconds > startSeconds) {
      throw fault({
        code: "METRICS-UNREACHABLE",
        kind: "errored",
        message: `The Prometheus of ${scene.environment.name} does not come up within ${seconds.toFixed(0)} s`,
        reason: trouble?.text ?? "Its pod runs; it does not answer through the API server.",
        hint: hintOf(scene),
      })
    }
    await sleep(pollMs, undefined, { signal })
  }
}

async function troubleWith({ cluster, namespace }: Place): Promise<{ kind: string; text: string } | undefined> {
  const selector = `${labels.name}=${prometheusName},${labels.part}=metrics`
  const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace, name: prometheusName }
  const [found, deployment] = await Promise.all([
    cluster.list<Pod>({ apiVersion: "v1", kind: "Pod", namespace, labels: selector }),
    cluster.read<Deployment>(ref),
  ])
  for (const pod of found.filter((one) => !isGoing(one) && !isOver(one))) {
    const trouble = troubleOf(pod, Date.now())
    if (trouble === undefined) continue
    const log = await cluster.logs({ namespace, name: pod.metadata.name }, { lines: 10, previous: true })
    return { kind: trouble.kind, text: [trouble.text, log.trim()].filter((part) => part !== "").join("\n") }
  }
  const failure = deployment === undefined ? undefined : failureOf(deployment)
  return failure === undefined || found.length > 0 ? undefined : { kind: "not made", text: failure }
}

const hintOf = ({ namespace, environment }: Pick<Scene, "namespace" | "environment">) =>
  `kubectl -n ${namespace} describe pod -l ${labels.part}=metrics. Where it runs, the network may not let the API server in: \`kubernetes.apiServers\` of ${environment.name} in gantry.config.ts. Or name another: \`prometheus: { url }\`.`
