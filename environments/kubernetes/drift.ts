import type { Drift } from "../views/drift.js"
import type { DriftQuestion } from "../views/view.js"
import { releaseKey, releaseName, type ReleaseSpec } from "../release.js"
import { plainly } from "../strategies/settings.js"
import { objectDrift } from "./drift-object.js"
import { isGoing, isOver, type Pod } from "./kinds.js"
import { labels } from "./labels.js"
import { objectsFor, partOf } from "./manifest.js"
import { isTheirs } from "./number.js"
import { asApplied } from "./scaling.js"
import type { Scene } from "./scene.js"
import { deploymentName, keyOf, readTracks, trackFor } from "./tracks.js"
import { otherTrack } from "./traffic.js"
import type { Track } from "./values.js"

/**
 * What of a service in a namespace somebody changed by hand: the objects that Gantry would apply now are held against those
 * that are there, by a dry run of the cluster's own. Changes nothing.
 */
export async function serviceDrift(scene: Scene, question: DriftQuestion): Promise<readonly Drift[]> {
  const { current, others, moving } = question
  const tracks = await readTracks(scene)
  const { deployments, traffic } = tracks
  if (current === undefined) return []
  const pace = plainly(scene.environment.strategy, scene.environment.replicas)
  const found: Drift[] = []
  const renderOn = (release: ReleaseSpec, track: Track, replicas: number | undefined) =>
    objectsFor(scene, { release, track, replicas, traffic, pace })
  // Where an autoscaler or the clock has set the number, none is wanted.
  const compare = async (objects: Awaited<ReturnType<typeof renderOn>>, theirs: boolean) => {
    const lines = await Promise.all(
      objects.map(async (object) => objectDrift(scene.cluster, await asApplied(scene, object))),
    )
    found.push(...lines.flat().filter((d) => !(theirs && d.field === "spec.replicas") && !isPaceOfOurs(d)))
  }

  const key = releaseKey(current.release)
  const track = trackFor(tracks, key)
  const own = deployments[track]
  const runs = keyOf(own) === key
  const asFound = own?.spec.replicas ?? 0
  const theirs = isTheirs(scene, own)
  const objects = await renderOn(
    current.release,
    track,
    theirs ? undefined : moving && runs ? asFound : current.replicas,
  )
  const instances = new Set(["instance", "config"])
  await compare(
    objects.filter((o) => {
      const part = partOf(o) ?? ""
      // While another release comes, the one before may be on its way out.
      return part !== "migration" && (runs || !moving || !instances.has(part))
    }),
    theirs,
  )

  const other = otherTrack(track)
  const beside = others.find((r) => releaseKey(r) === keyOf(deployments[other]))
  if (beside !== undefined) {
    const left = isTheirs(scene, deployments[other])
    const its = await renderOn(beside, other, left ? undefined : (deployments[other]?.spec.replicas ?? 0))
    await compare(
      its.filter((o) => instances.has(partOf(o) ?? "")),
      left,
    )
  }
  if (moving) return found

  const known = new Set([key, ...others.map(releaseKey)])
  for (const [name, deployment] of Object.entries(deployments)) {
    const is = keyOf(deployment) ?? "none"
    if (known.has(is)) continue
    const what = `Deployment ${deploymentName(scene.service, name as Track)}`
    found.push({ what, field: "release", expected: [...known].join(" or "), found: is })
  }
  return [...found, ...(await podDrift(scene, [current.release, ...others]))]
}

/** How fast the last rollout went: a way back goes faster than the strategy says. Only somebody else's change is one. */
const isPaceOfOurs = ({ field, by }: Drift) => field.startsWith("spec.strategy.rollingUpdate") && by === undefined

/** Pods that the service's traffic may reach and that are of no release that is to be there. */
async function podDrift(scene: Scene, releases: readonly ReleaseSpec[]): Promise<Drift[]> {
  const { cluster, namespace, service } = scene
  const selector = `${labels.name}=${service}`
  const pods = await cluster.list<PodWithSpec>({ apiVersion: "v1", kind: "Pod", namespace, labels: selector })
  const byKey = new Map(releases.map((r) => [releaseKey(r), r]))
  return pods
    .filter((pod) => !isGoing(pod) && !isOver(pod))
    .flatMap((pod): Drift[] => {
      const what = `Pod ${pod.metadata.name}`
      const key = pod.metadata.labels?.[labels.releaseKey]
      const release = byKey.get(key ?? "")
      if (release === undefined) {
        const expected = releases.map((r) => `${releaseKey(r)} (${releaseName(r)})`).join(" or ")
        return [{ what, field: "release", expected, found: key ?? "none" }]
      }
      const image = pod.spec?.containers?.[0]?.image ?? "none"
      return image.endsWith(`@${release.digest}`)
        ? []
        : [{ what, field: "image", expected: release.reference, found: image }]
    })
}

interface PodWithSpec extends Pod {
  readonly spec?: { readonly containers?: readonly { readonly image?: string }[] }
}
