import { canonicalJson } from "../../../core/json.js"
import { releaseKey, type ReleaseSpec } from "../../release.js"
import { annotations, labels } from "../labels.js"
import { imageOf } from "../manifest.js"
import type { KubernetesObject } from "../object.js"
import type { Scene } from "../scene.js"
import { setDigests } from "./images.js"

/**
 * Names in Gantry's own domain alone: what a chart writes under app.kubernetes.io is the chart's, and its selectors'.
 */
export const marks = {
  service: "gantry.dev/service",
  project: "gantry.dev/project",
  /** On a Job or CronJob that runs the image where nothing runs it all the time. */
  runs: "gantry.dev/runs",
} as const

export const ownPart = "own"

export type OwnPlace = Pick<Scene, "cluster" | "namespace" | "project" | "environment" | "service">

/** Whose it is: on every object that a service brings itself. */
export const markOf = ({ project, environment, service }: Pick<Scene, "project" | "environment" | "service">) => ({
  [marks.service]: service,
  [marks.project]: project,
  [labels.environment]: environment.name,
  [labels.part]: ownPart,
})

export const selectorOf = (mark: Readonly<Record<string, string>>) =>
  Object.entries(mark)
    .map(([name, value]) => `${name}=${value}`)
    .join(",")

export const isMarked = (object: KubernetesObject, mark: Readonly<Record<string, string>>) =>
  Object.entries(mark).every(([name, value]) => object.metadata.labels?.[name] === value)

const isKind = (object: KubernetesObject, group: string, kinds: readonly string[]) =>
  object.apiVersion.startsWith(`${group}/`) && kinds.includes(object.kind)

/** Pods of these are there all the time, and are replaced when their template changes. */
export const isLasting = (object: KubernetesObject) =>
  isKind(object, "apps", ["Deployment", "StatefulSet", "DaemonSet"])
export const isJob = (object: KubernetesObject) => isKind(object, "batch", ["Job"])
const isTimed = (object: KubernetesObject) => isKind(object, "batch", ["Job", "CronJob"])

/**
 * What runs a release: workloads whose pods have its image; where there are none, its Jobs and CronJobs. Workloads beside
 * them that run something else are none of these: their pods stay as they are. Pure.
 */
export function carriersOf(objects: readonly KubernetesObject[], release: Pick<ReleaseSpec, "reference">) {
  const image = imageOf(release.reference)
  const all = objects.filter((object) => setDigests(object, image).changed > 0)
  const lasting = all.filter(isLasting)
  return lasting.length > 0 ? lasting : all.filter(isTimed)
}

/**
 * The objects with the marks by which Gantry finds them again. Pods' templates get them only where they run the release's
 * image, and would be replaced anyway. The same release has the same text, always. Pure.
 */
export function marked(
  objects: readonly KubernetesObject[],
  release: ReleaseSpec,
  place: Pick<Scene, "project" | "environment" | "service">,
): readonly KubernetesObject[] {
  const mark = { ...markOf(place), [labels.releaseKey]: releaseKey(release) }
  const note = { [annotations.release]: canonicalJson(release) }
  const carriers = new Set(carriersOf(objects, release))
  return objects.map((object) => {
    const lasting = carriers.has(object) && isLasting(object)
    const timed = carriers.has(object) && !lasting
    const made = withMarks(object, timed ? { ...mark, [marks.runs]: "true" } : mark, timed ? note : {})
    if (!lasting) return made
    const { spec } = made as unknown as { readonly spec: { readonly template: { readonly metadata?: object } } }
    const template = withMarks({ metadata: {}, ...spec.template }, mark, note)
    return { ...made, spec: { ...spec, template } } as KubernetesObject
  })
}

type Marks = Readonly<Record<string, string>>

function withMarks<T extends { readonly metadata: { readonly labels?: Marks; readonly annotations?: Marks } }>(
  thing: T,
  labelled: Marks,
  annotated: Marks,
): T {
  const { metadata } = thing
  return {
    ...thing,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, ...labelled },
      ...(Object.keys(annotated).length === 0 ? {} : { annotations: { ...metadata.annotations, ...annotated } }),
    },
  }
}
