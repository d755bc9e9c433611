import { fault } from "../../../core/errors.js"
import type { ReleaseSpec } from "../../release.js"
import { labels } from "../labels.js"
import { objectName, type KubernetesObject } from "../object.js"
import { readNote } from "./note.js"
import { isMarked, markOf, marks, type OwnPlace } from "./marks.js"
import { refOfName } from "./order.js"
import type { Notes } from "../../memory.js"

/** What runs the image can be followed to its end, or it cannot be deployed. */
export const noWorkload = (service: string) =>
  fault({
    code: "OWN-WORKLOAD",
    kind: "usage",
    message: `${service}: nothing among its own objects runs its image in a way that Gantry can follow`,
    reason:
      "The image has to be in a Deployment, a StatefulSet or a DaemonSet; or, where there is none, in a Job or a CronJob.",
    hint: "Add one of these kinds to the chart, the manifests or the overlay.",
  })

/** What Gantry does for a service by its own chart alone. @throws OWN-STRATEGY, OWN-DATABASE */
export function checkOwn({ environment, service }: Pick<OwnPlace, "environment" | "service">, release: ReleaseSpec) {
  if (environment.strategy.kind !== "rolling") {
    throw fault({
      code: "OWN-STRATEGY",
      kind: "usage",
      message: `${service} brings its own objects to ${environment.name}; these are not deployed by ${environment.strategy.kind}`,
      reason: "blue-green and canary need two tracks and a route between them, which only Gantry's own chart has.",
      hint: `Let the strategy of ${environment.name} be rolling, or leave \`own\` of ${service} out.`,
    })
  }
  if (release.database !== undefined) {
    throw fault({
      code: "OWN-DATABASE",
      kind: "usage",
      message: `${service} brings its own objects to ${environment.name}, and wants a database of Gantry's`,
      reason: "Gantry gives a database, its credentials and migrations to instances of its own chart alone.",
      hint: "A database is among the service's own objects then; leave `database` and `migrations` out of gantry.service.yaml.",
    })
  }
}

/** One way of deploying does not clear away what the other one made: nothing of a service runs twice. @throws OWN-SWITCH */
export async function checkNoChart(place: OwnPlace): Promise<void> {
  const { cluster, namespace, service } = place
  const selector = `${labels.managedBy}=gantry,${labels.name}=${service},${labels.part}=instance`
  const found = await cluster.list({ apiVersion: "apps/v1", kind: "Deployment", namespace, labels: selector })
  if (found.length === 0) return
  throw switched(place, `Deployment ${found[0]?.metadata.name ?? ""} is of Gantry's chart.`)
}

/** @throws OWN-SWITCH */
export async function checkNotOwn(place: OwnPlace, notes: Notes, release: ReleaseSpec): Promise<void> {
  if (release.own !== undefined) throw switched(place, "This release consists of its own objects.")
  const { releases } = await readNote(notes)
  for (const name of new Set(releases.flatMap((r) => r.objects))) {
    const ref = refOfName(name, place.namespace)
    const there = ref && (await place.cluster.read<KubernetesObject>(ref))
    if (there && isMarked(there, markOf(place)) && there.kind !== "PersistentVolumeClaim") {
      throw switched(place, `${objectName(there)} is of its own objects.`)
    }
  }
}

export const switched = ({ environment, service, namespace }: Omit<OwnPlace, "cluster">, reason: string) =>
  fault({
    code: "OWN-SWITCH",
    kind: "usage",
    message: `${service} in ${environment.name} changes between Gantry's chart and objects of its own`,
    reason: `${reason} The one way leaves the objects of the other as they are; both would serve.`,
    hint: `Remove what is there first: gantry stop ${environment.name} (data stay). kubectl -n ${namespace} get all,ingress,configmap -l ${marks.service}=${service} lists objects of its own, -l ${labels.name}=${service},${labels.managedBy}=gantry those of the chart.`,
  })
