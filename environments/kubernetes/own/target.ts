import type { EngineContext } from "../../../engine/context.js"
import { readHistory } from "../../history.js"
import { plainly } from "../../strategies/settings.js"
import { releaseKey, type ReleaseSpec } from "../../release.js"
import type { Target } from "../../target.js"
import { checkNamespace } from "../apply.js"
import { clusterMemory } from "../memory.js"
import { metricsOf } from "../metrics.js"
import type { KubernetesObject } from "../object.js"
import type { Scene } from "../scene.js"
import { untilReached } from "../roll.js"
import { kubernetesTasks } from "../tasks.js"
import { addressOf } from "./address.js"
import { applyObjects, namesOf, tryObjects } from "./apply.js"
import { keepRelease, readRelease, type KeptRelease } from "./keep.js"
import { carriersOf, marked } from "./marks.js"
import { noteRelease, readNote, writeNote } from "./note.js"
import { ownInstances, podLogs } from "./pods.js"
import { checkNoChart, checkOwn, switched } from "./refusals.js"
import type { OwnObjects } from "./rendered.js"
import { removeOwn, rollOwn } from "./roll.js"

/**
 * The target "kubernetes" for a service that brings its own objects: they are applied as they are, with the release's digest.
 * @param fresh what was rendered of the commit that is delivered; whoever goes back needs none: a release is kept with its
 *   objects
 */
export async function ownTarget(scene: Scene, engine: EngineContext, fresh: OwnObjects | undefined): Promise<Target> {
  const { cluster, namespace, project, environment, service, tell } = scene
  const memory = clusterMemory({ cluster, namespace, project, environment: environment.name, service })
  let url = (await readNote(memory.notes)).url
  const loaded = new Map<string, KeptRelease>()

  /** A release with its objects: as it was kept first, so that the same release is the same objects, whoever asks. */
  const load = async (release: ReleaseSpec): Promise<KeptRelease> => {
    if (release.own === undefined) throw switched(scene, "This release is of Gantry's chart.")
    const key = releaseKey(release)
    const known = loaded.get(key)
    if (known !== undefined) return known
    if (fresh?.hash === release.own) {
      await keepRelease(scene, { release, objects: fresh.objects })
      await noteRelease(memory.notes, key, namesOf(fresh.objects))
    }
    const kept = await readRelease(scene, release)
    loaded.set(key, kept)
    return kept
  }
  const objectsOf = (kept: KeptRelease) => marked(kept.objects, kept.release, scene)
  const learnUrl = async ({ release, objects }: KeptRelease) => {
    const { expose } = environment.kubernetes
    const carriers = carriersOf(objects, release)
    url = await addressOf({ cluster, expose, service, namespace, objects, carriers })
    const note = await readNote(memory.notes)
    if (note.url !== url) await writeNote(memory.notes, { ...note, url })
  }
  const secretObjects = (): readonly KubernetesObject[] => [...loaded.values()].flatMap((kept) => kept.objects)

  const target: Target = {
    environment: environment.name,
    service,
    pollMs: 400,
    // How many there are, the objects say.
    elastic: true,
    get url() {
      return url ?? `http://${service}.${namespace}.svc`
    },
    get previewUrl() {
      return target.url
    },
    ...memory,

    async prepare(release, signal) {
      await checkNamespace(scene)
      checkOwn(scene, release)
      await checkNoChart(scene)
      const kept = await load(release)
      const objects = objectsOf(kept)
      const key = releaseKey(release)
      const [last] = await readHistory(memory.notes)
      const runs = (await ownInstances(scene)).every((i) => i.key === key)
      // The very release that runs: whatever of it somebody took away is put back. Another one is only asked about.
      if (runs && last !== undefined && releaseKey(last.release) === key) {
        await applyObjects(scene, objects, { signal, tell })
        await learnUrl(kept)
      } else await tryObjects(scene, objects, { signal, tell })
    },

    describe: () => ownInstances(scene),
    ...kubernetesTasks(scene, plainly(environment.strategy, environment.replicas)),

    start: () => Promise.reject(new Error("objects of a service's own are rolled as a whole")),
    probe: () => Promise.resolve(),
    // Who gets the traffic, and what becomes of a pod that leaves, its objects say.
    setWeights: () => Promise.resolve(),
    setPreview: () => Promise.resolve(),
    drain: () => Promise.resolve(),
    stop: () => removeOwn(scene, memory.notes, tell),
    logs: (instance, lines) => podLogs(scene, instance.name, lines, secretObjects()),
    metrics: (signal) => metricsOf(scene, engine, signal),

    async roll(order) {
      const kept = await load(order.release)
      await rollOwn({ place: scene, target, order: { ...order, release: kept.release }, objects: objectsOf(kept) })
      const first = url === undefined
      await learnUrl(kept)
      if (first) await untilReached(target, order)
    },
  }
  return target
}
