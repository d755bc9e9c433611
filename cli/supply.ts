import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { Progress } from "../core/progress.js"
import { dockerfileImages, helmTool, kustomizeTool, provision, scannerReference } from "../engine/index.js"
import { balancerImage, databaseImage, keepsPrometheus, prometheusImage } from "../environments/index.js"
import type { Settings } from "../steps/settings.js"

/** What a delivery of these services will want of the stack. */
const components = ["registry", "engine", "sonarqube"]

/**
 * Images that a delivery of the project's services will ask for, by public name: known before anything runs, so that
 * what has to be made is made side by side and with progress, not one after the other inside the steps.
 */
export async function wantedImages(settings: Settings): Promise<readonly string[]> {
  const wanted = new Set<string>([settings.scan.image])
  if (Object.values(settings.environments).some((e) => e.target === "docker")) wanted.add(balancerImage)
  // A container here, a pod there: the nodes pull it from the registry that it is provided in.
  if (Object.values(settings.environments).some(keepsPrometheus)) wanted.add(prometheusImage)
  for (const service of settings.services) {
    wanted.add(service.toolchain.image)
    if (service.database !== undefined || service.tests.integration?.services !== undefined) wanted.add(databaseImage)
    if (service.sonar !== undefined) wanted.add(scannerReference)
    const dockerfile = await readFile(join(settings.root, service.path, service.build.dockerfile), "utf8").catch(
      () => "",
    )
    for (const image of await dockerfileImages(dockerfile, service.build.args)) wanted.add(image)
  }
  return [...wanted]
}

/** Programs that render what goes to a cluster: none where there is no cluster. */
export function wantedTools({ environments }: Pick<Settings, "environments">): readonly ("helm" | "kustomize")[] {
  const pods = Object.values(environments).filter((e) => e.target === "kubernetes")
  const own = pods.flatMap(({ kubernetes: { services, dependencies } }) => [
    ...Object.values(services).map((s) => s.own?.kind),
    ...Object.values(dependencies).map(({ kind }) => kind),
  ])
  return [
    ...(pods.length > 0 ? (["helm"] as const) : []),
    ...(own.includes("kustomize") ? (["kustomize"] as const) : []),
  ]
}

/** Provides the stack, the images and the programs of a project. What is there costs a look. @throws SUPPLY-…, STACK-…, TOOL-UNUSABLE */
export async function supply(settings: Settings, progress: Progress, signal: AbortSignal): Promise<void> {
  const { engine } = settings
  const options = { progress, signal }
  await provision(engine, { components, images: await wantedImages(settings) }, options)
  const tools = { helm: helmTool, kustomize: kustomizeTool }
  await Promise.all(wantedTools(settings).map((name) => tools[name](engine, options)))
}
