import { kubeCluster } from "../../clients/kubernetes/index.js"
import { createMasker } from "../../core/mask.js"
import type { EngineContext } from "../../engine/context.js"
import type { Environment } from "../environment.js"
import type { Project } from "../places.js"
import { keepsPrometheus } from "../prometheus.js"
import { releaseKey, type ReleaseSpec } from "../release.js"
import { plainly } from "../strategies/settings.js"
import { fullWeight, type Instance, type Target } from "../target.js"
import { applyAll, checkNamespace } from "./apply.js"
import { databaseSecrets, ensureCredentials } from "./database.js"
import { awaitDatabase } from "./database-wait.js"
import { eventLines, eventsOf, warnings } from "./detail.js"
import { exposedOf } from "./exposed.js"
import type { Exposed } from "./exposure.js"
import { departures } from "./departures.js"
import { instancesNow } from "./instances.js"
import { objectsFor, partOf, type Wanted } from "./manifest.js"
import { isGoing, isTrue } from "./kinds.js"
import { clusterMemory } from "./memory.js"
import { metricsOf, tryPrometheus } from "./metrics.js"
import { renderTools, type RenderTools } from "./render.js"
import { rollNatively } from "./roll.js"
import { namespaceOf } from "./names.js"
import { checkNotOwn } from "./own/refusals.js"
import type { OwnObjects } from "./own/rendered.js"
import { ownTarget } from "./own/target.js"
import type { Scene } from "./scene.js"
import { isElastic, isScheduled, wantedReplicas } from "./number.js"
import { startOn, stopOne } from "./scale.js"
import { applyScaling, dropScaling } from "./scaling.js"
import { kubernetesTasks } from "./tasks.js"
import { withHold, withoutHold, withWeights, type TrafficState } from "./traffic.js"
import { readPods, readTracks, trackFor, trackOfPod, type Tracks } from "./tracks.js"
import type { Track } from "./values.js"

export interface KubernetesTargetOptions {
  readonly engine: EngineContext
  readonly project: Pick<Project, "project" | "engine" | "services">
  readonly environment: Environment
  readonly service: string
  /** An image by digest that the nodes can pull, by its public reference. */
  image(reference: string): Promise<string>
  /** Default: Helm of this host, or in a container. */
  readonly tools?: RenderTools
  /** What the service brings itself, as the commit that is delivered has it. */
  readonly own?: OwnObjects | undefined
  readonly signal?: AbortSignal | undefined
  readonly tell?: (line: string) => void
}

/** Who calls it: of the whole project, where that is known, for a policy must not shut out whoever is not delivered today. */
function callersOf(services: KubernetesTargetOptions["project"]["services"], service: string): readonly string[] {
  const known = services.find((s) => s.name === service)?.callers
  return known ?? services.filter((s) => s.calls?.includes(service) === true).map((s) => s.name)
}

/** The target "kubernetes": Deployments of two tracks in a namespace of the environment's own. @throws K8S-KUBECONFIG */
export async function kubernetesTarget(options: KubernetesTargetOptions): Promise<Target> {
  const { project, environment, service, engine } = options
  const { kubeconfig, context } = environment.kubernetes
  const tell = options.tell ?? (() => undefined)
  // Whoever is interrupted goes back by the same means, writes it down, and lets go of his lease: nothing here ends with the run's
  // signal. What works forward heeds its own.
  const cluster = kubeCluster({ kubeconfig, context, interrupt: options.signal, tell })
  const ownTools = () => renderTools(engine.config, { progress: engine.progress, signal: options.signal })
  let exposed: Promise<Exposed> | undefined
  const namespace = namespaceOf(project.project, environment)
  const scene: Scene = {
    cluster,
    namespace,
    project: project.project,
    environment,
    service,
    callers: callersOf(project.services, service),
    // They are looked for before anything is changed; to render takes a moment.
    tools: options.tools ?? { ...ownTools(), signal: undefined },
    rendered: new Map(),
    departures: departures(cluster, namespace),
    image: options.image,
    exposed: () => (exposed ??= exposedOf({ cluster, namespace: scene.namespace, environment, service })),
    tell,
  }
  if (environment.kubernetes.services[service]?.own !== undefined) return ownTarget(scene, engine, options.own)
  const pace = plainly(environment.strategy, environment.replicas)
  let urls: { live?: string | undefined; preview?: string | undefined } = {}
  const learnUrls = async () => {
    urls = await (await scene.exposed()).urls()
  }

  /** What is there now, with the release that the traffic is about: what has it all, or most of it. */
  const wantedNow = (tracks: Tracks, release: ReleaseSpec): Wanted => {
    const track = trackFor(tracks, releaseKey(release))
    // Whether there is a disruption budget depends on how many there are to be, not on how many the rollout has by now.
    return { release, track, replicas: environment.replicas, traffic: tracks.traffic, pace }
  }

  /** Writes how the traffic is shared: the route first, the Service with the note about it last. */
  const setTraffic = async (release: ReleaseSpec, change: (tracks: Tracks) => Promise<TrafficState>): Promise<void> => {
    const tracks = await readTracks(scene)
    const traffic = await change(tracks)
    const objects = await objectsFor(scene, { ...wantedNow(tracks, release), traffic })
    const route = objects.filter((o) => partOf(o) === "route")
    const services = objects.filter((o) => partOf(o) === "preview" || partOf(o) === "service")
    await Promise.all([applyAll(scene, route), applyScaling(scene, objects)])
    await applyAll(scene, services)
  }

  const countsOf = async (): Promise<Readonly<Record<Track, number>>> => {
    const pods = (await readPods(scene)).filter((p) => !isGoing(p))
    // Those that answer; where none does yet, they will.
    const of = (track: Track) => {
      const own = pods.filter((p) => trackOfPod(p) === track)
      return own.filter((p) => isTrue(p.status?.conditions, "Ready")).length || own.length
    }
    return { blue: of("blue"), green: of("green") }
  }
  const describe = async (): Promise<readonly Instance[]> => {
    const [pods, { traffic }] = await Promise.all([readPods(scene), readTracks(scene)])
    return instancesNow(scene, pods, traffic)
  }
  const tracksById = async (): Promise<ReadonlyMap<string, Track>> =>
    new Map((await readPods(scene)).map((p) => [p.metadata.uid ?? "", trackOfPod(p)]))

  /** The API server hands the request on to the Service: no address of its own is needed for that. */
  const askThroughApi = async (path: string) => {
    const name = `${service}-preview`
    const asked = {
      verb: "get",
      resource: "services/proxy",
      namespace: scene.namespace,
      name,
      context: cluster.context,
    }
    return cluster.raw("GET", `/api/v1/namespaces/${scene.namespace}/services/${name}:http/proxy${path}`, asked)
  }

  const target: Target = {
    environment: environment.name,
    service,
    pollMs: 400,
    replaces: true,
    elastic: isElastic(scene),
    ...(isElastic(scene) || isScheduled(scene)
      ? { wantedReplicas: (configured: number) => wantedReplicas(scene, configured) }
      : {}),
    get url() {
      return urls.live ?? `http://${service}.${scene.namespace}.svc`
    },
    get previewUrl() {
      return urls.preview ?? `http://${service}-preview.${scene.namespace}.svc`
    },
    get askPreview() {
      return urls.preview === undefined ? askThroughApi : undefined
    },
    ...clusterMemory({
      cluster,
      namespace: scene.namespace,
      project: project.project,
      environment: environment.name,
      service,
    }),

    async prepare(release, signal) {
      await checkNamespace(scene)
      await checkNotOwn(scene, target.notes, release)
      if (release.database !== undefined) await ensureCredentials(scene)
      if (keepsPrometheus(environment)) await tryPrometheus(scene)
      const tracks = await readTracks(scene)
      const objects = await objectsFor(scene, wantedNow(tracks, release))
      // Instances, their configuration and their number are the strategies' affair.
      await applyAll(
        scene,
        objects.filter((o) => !["instance", "config", "migration", "scaling"].includes(partOf(o) ?? "")),
      )
      await dropScaling(scene, objects)
      await applyScaling(scene, objects)
      tell(`traffic: ${(await scene.exposed()).text}`)
      if (release.database !== undefined) await awaitDatabase(scene, signal)
      await learnUrls()
    },

    describe,
    ...kubernetesTasks(scene, pace),

    async start(release, count, signal) {
      const before = new Set((await describe()).map((i) => i.id))
      await startOn(scene, release, count, pace, signal)
      return (await describe()).filter((i) => !before.has(i.id) && i.key === releaseKey(release))
    },

    // The cluster checks every instance by itself.
    probe: () => Promise.resolve(),

    async setWeights(weights) {
      const byId = await tracksById()
      const changed: Partial<Record<Track, number>> = {}
      let greatest: Instance | undefined
      for (const [instance, weight] of weights) {
        const track = byId.get(instance.id)
        if (track === undefined) continue
        changed[track] = Math.max(changed[track] ?? 0, weight)
        if (weight > 0) greatest ??= instance
      }
      const [first] = weights.keys()
      const release = (greatest ?? first)?.release
      if (release === undefined) return
      await setTraffic(release, async ({ traffic }) => {
        const next = withWeights(traffic, changed, await countsOf())
        return isElastic(scene) ? withHold(next) : next
      })
    },

    async setPreview(instances) {
      const [shown] = instances
      const release = shown?.release ?? (await describe())[0]?.release
      if (release === undefined) return
      const track = shown === undefined ? "none" : ((await tracksById()).get(shown.id) ?? "none")
      await setTraffic(release, ({ traffic }) => Promise.resolve({ ...traffic, preview: track }))
      await learnUrls()
    },

    // It leaves the Services when it is stopped, and goes on serving for the strategy's drainSeconds: its preStop hook.
    drain: () => Promise.resolve(),

    stop: (instance) => stopOne(scene, instance, pace),

    async logs(instance, lines) {
      const pod = { namespace: scene.namespace, name: instance.name }
      const now = await cluster.logs(pod, { lines })
      const before = instance.restarts > 0 ? await cluster.logs(pod, { lines, previous: true }) : ""
      // Last, so that whoever sees the last lines sees both: what it wrote, and what the cluster says of it.
      const said = instance.healthy ? "" : eventLines(eventsOf(await warnings(scene), [instance.name]))
      return createMasker([...(await databaseSecrets(scene))]).text(before + now + said)
    },

    metrics: (signal) => metricsOf(scene, engine, signal),

    async roll(order) {
      await rollNatively(scene, target, order, (track) =>
        setTraffic(order.release, async ({ traffic }) => {
          const weights = { blue: 0, green: 0, [track]: fullWeight }
          return { ...withWeights(traffic, weights, await countsOf()), active: track }
        }),
      )
      const { traffic } = await readTracks(scene)
      if (traffic.held === true) await setTraffic(order.release, () => Promise.resolve(withoutHold(traffic)))
    },
  }
  await learnUrls()
  return target
}
