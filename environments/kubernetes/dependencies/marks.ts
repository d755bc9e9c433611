import { labels } from "../labels.js"
import type { KubernetesObject } from "../object.js"
import { isJob, isLasting } from "../own/marks.js"

export const dependencyLabel = "gantry.dev/dependency"
/** On a Job: what it ran for. */
export const hashLabel = "gantry.dev/dependency-hash"

export interface DependencyOwner {
  readonly project: string
  readonly environment: string
  /** Name of the dependency. */
  readonly name: string
}

type Marks = Readonly<Record<string, string>>
type Marked = { readonly metadata?: { readonly labels?: Marks } }

/** Whose it is: on every object of a dependency. Names in Gantry's own domain alone: the others are the chart's. */
export const dependencyMark = ({ project, environment, name }: DependencyOwner): Marks => ({
  [dependencyLabel]: name,
  "gantry.dev/project": project,
  [labels.environment]: environment,
  [labels.part]: "dependency",
})

/** The objects as they are applied: marked, and so are the pods that workloads and Jobs make of them. Pure. */
export function markedDependency(
  objects: readonly KubernetesObject[],
  owner: DependencyOwner,
  hash: string,
): readonly KubernetesObject[] {
  const mark = dependencyMark(owner)
  return objects.map((object) => {
    const made = withLabels(object, isJob(object) ? { ...mark, [hashLabel]: hash.slice(0, 32) } : mark)
    if (!isLasting(object) && !isJob(object)) return made
    const spec = made["spec"] as { readonly template: Marked }
    return { ...made, spec: { ...spec, template: withLabels(spec.template, mark) } }
  })
}

const withLabels = <T extends Marked>(of: T, more: Marks) => ({
  ...of,
  metadata: { ...of.metadata, labels: { ...of.metadata?.labels, ...more } },
})
