import { createMasker } from "../../../core/mask.js"
import type { Cluster } from "../../../clients/kubernetes/index.js"
import type { Instance } from "../../target.js"
import { instancesNow, instancesOf } from "../instances.js"
import { isGoing, isOver, conditionOf, type Job, type Pod } from "../kinds.js"
import { annotations, labels } from "../labels.js"
import type { KubernetesObject } from "../object.js"
import type { Scene } from "../scene.js"
import { noTraffic, type TrafficState } from "../traffic.js"
import { marks, markOf, selectorOf, type OwnPlace } from "./marks.js"

/** Who gets what of the traffic is the objects' own affair: what is ready takes part. */
const allTraffic: TrafficState = { ...noTraffic, weights: { blue: 100, green: 100 } }

const age = ({ metadata }: KubernetesObject) => `${metadata.creationTimestamp ?? ""} ${metadata.name}`
const byAge = (a: KubernetesObject, b: KubernetesObject) => (age(a) < age(b) ? -1 : 1)

export const asInstances = (pods: readonly Pod[]): readonly Instance[] => instancesOf(pods, allTraffic, Date.now())

/** The same, where one that waits for others to make room is in no trouble. */
export const instancesThere = (place: Pick<Scene, "departures">, pods: readonly Pod[]): Promise<readonly Instance[]> =>
  instancesNow(place, pods, allTraffic)

/**
 * What runs of a service that brings its own objects: the pods that have its image. Where nothing of it runs all the time,
 * its Jobs and CronJobs.
 */
export async function ownInstances(place: OwnPlace): Promise<readonly Instance[]> {
  const { cluster, namespace } = place
  const selector = selectorOf(markOf(place))
  const pods = await cluster.list<Pod>({ apiVersion: "v1", kind: "Pod", namespace, labels: selector })
  const there = pods.filter((pod) => !isGoing(pod) && !isOver(pod))
  if (there.length > 0) return asInstances([...there].sort(byAge))
  const timed = await Promise.all(
    ["CronJob", "Job"].map((kind) =>
      cluster.list<Job>({ apiVersion: "batch/v1", kind, namespace, labels: `${selector},${marks.runs}=true` }),
    ),
  )
  return asInstances(timed.flat().sort(byAge).map(asPod))
}

/** A Job as if it were a pod that serves: it is whole as long as it has not failed. */
function asPod(job: Job): Pod {
  const failed = conditionOf(job.status?.conditions, "Failed")?.status === "True"
  const { labels: labelled, annotations: annotated } = job.metadata
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...job.metadata,
      labels: { [labels.releaseKey]: labelled?.[labels.releaseKey] ?? "" },
      annotations: { [annotations.release]: annotated?.[annotations.release] ?? "" },
    },
    status: {
      phase: failed ? "Failed" : "Running",
      conditions: [{ type: "Ready", status: failed ? "False" : "True" }],
    },
  }
}

/** Last lines of every container of a pod, what the release's Secrets hold masked. */
export async function podLogs(
  place: Pick<OwnPlace, "namespace"> & { readonly cluster: Pick<Cluster, "read" | "logs"> },
  name: string,
  lines: number,
  objects: readonly KubernetesObject[],
): Promise<string> {
  const { cluster, namespace } = place
  const pod = await cluster.read<Pod>({ apiVersion: "v1", kind: "Pod", namespace, name })
  const statuses = [...(pod?.status?.initContainerStatuses ?? []), ...(pod?.status?.containerStatuses ?? [])]
  const texts = await Promise.all(
    statuses.map(async ({ name: container, restartCount }) => {
      const of = { namespace, name }
      const before = restartCount > 0 ? await cluster.logs(of, { lines, container, previous: true }) : ""
      const text = before + (await cluster.logs(of, { lines, container }))
      return text.trim() === "" || statuses.length === 1 ? text : `[${container}]\n${text}`
    }),
  )
  return createMasker(secretsOf(objects)).text(texts.join(""))
}

/** Values of the Secrets among the objects. */
export function secretsOf(objects: readonly KubernetesObject[]): readonly string[] {
  return objects
    .filter((o) => o.kind === "Secret" && o.apiVersion === "v1")
    .flatMap(({ data, stringData }) => [
      ...Object.values((stringData ?? {}) as Record<string, unknown>).map(String),
      ...Object.values((data ?? {}) as Record<string, unknown>).map((v) => Buffer.from(String(v), "base64").toString()),
    ])
}
