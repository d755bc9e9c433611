import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { KubernetesObject } from "../object.js"
import { withinNamespace } from "../own/bounds.js"
import { pathInProject, readObjects, type Sources } from "../own/render.js"
import { helmTemplate, withScratch, type RenderOptions, type RenderTools } from "../render.js"
import type { PullChart } from "./pull.js"
import type { Dependency } from "./settings.js"

export interface DependencySource {
  readonly name: string
  readonly dependency: Dependency
  /** Absolute: the project's folder in the tree that is delivered, from which the paths count. Nothing outside is read. */
  readonly root: string
  readonly pull: PullChart
}

/** The same input, rendered twice: what a chart draws by lot differs. */
export interface Renderings {
  readonly first: readonly KubernetesObject[]
  readonly second: readonly KubernetesObject[]
}

/** @throws OWN-PATH, OWN-BEYOND-NAMESPACE, OWN-HOOK, OWN-KUSTOMIZE, KUBERNETES-YAML, CHART-RENDER, DEPENDENCY-CHART */
export async function renderDependency(
  tools: RenderTools,
  source: DependencySource,
  options: RenderOptions,
): Promise<Renderings> {
  const { name, dependency, root } = source
  const sources: Sources = { service: name, root, folder: root }
  const bounded = (objects: readonly KubernetesObject[]) => withinNamespace(objects, options.namespace, name)
  switch (dependency.kind) {
    case "manifests":
    case "kustomize": {
      const first = bounded(await readObjects(tools, { ...sources, manifests: dependency }, options))
      return { first, second: first }
    }
    case "chart": {
      const render = async () => bounded(await readObjects(tools, { ...sources, manifests: dependency }, options))
      return { first: await render(), second: await render() }
    }
    case "oci":
      return withScratch(async (scratch) => {
        const chart = join(scratch, "chart.tgz")
        await writeFile(chart, await source.pull(name, dependency))
        const values = await Promise.all(dependency.values.map((file) => pathInProject(sources, file)))
        const what = { chart, release: name, values, options, folders: [root], flags: ["--skip-tests"] }
        const render = async () => bounded(await helmTemplate(tools, what))
        return { first: await render(), second: await render() }
      })
  }
}
