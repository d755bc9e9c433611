import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { onTestFinished } from "vitest"
import { engineConfig } from "../../../engine/index.js"
import type { KubernetesObject } from "../../../environments/kubernetes/object.js"
import { renderChart, renderTools } from "../../../environments/kubernetes/render.js"
import { combinations } from "../../fakes/chart-values.js"

export const engine = engineConfig.parse({})
/** One for all tests: Helm is looked for once. */
export const tools = renderTools(engine)

/** For `beforeAll`: where they are built first, that takes minutes. */
export const makeTools = () => Promise.all([tools.helm(), tools.kustomize()])

export const namespace = "shop-test"

/** The objects of each combination of values: several tests look at the same ones. */
const rendered = new Map<string, Promise<readonly KubernetesObject[]>>()
export function combination(name: string): Promise<readonly KubernetesObject[]> {
  const values = combinations[name]
  if (values === undefined) throw new Error(`no combination "${name}"`)
  const objects = rendered.get(name) ?? renderChart(tools, values, { namespace })
  rendered.set(name, objects)
  return objects
}

/** A folder with these files, removed after the test. */
export async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gantry-it-"))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  return folder
}

/** The object of this kind and name. */
export function one(objects: readonly KubernetesObject[], kind: string, name: string): KubernetesObject {
  const found = objects.filter((o) => o.kind === kind && o.metadata.name === name)
  const [object] = found
  if (object === undefined || found.length > 1) {
    throw new Error(
      `${found.length} of ${kind} ${name}; there are ${objects.map((o) => `${o.kind} ${o.metadata.name}`).join(", ")}`,
    )
  }
  return object
}

/** What lies at a path: at(deployment, "spec.template.spec.containers.0.image"). */
export function at(object: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((value, key) => (value as Readonly<Record<string, unknown>> | undefined)?.[key], object)
}
