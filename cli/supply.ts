import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { Progress } from "../core/progress.js"
import { dockerfileImages, provision, scannerReference } from "../engine/index.js"
import { balancerImage, databaseImage, keepsPrometheus, prometheusImage } from "../environments/index.js"
import type { Settings } from "../steps/settings.js"

/** What a delivery of these services will want of the stack. */
const components = ["registry", "engine", "sonarqube"]

/**
 * Images that a delivery of the project's services will ask for, by public name: known before anything runs, so that
 * what has to be made is made side by side and with progress, not one after the other inside the steps.
 */
export async function wantedImages(settings: Settings): Promise<readonly string[]> {
  const wanted = new Set<string>([settings.scan.image, balancerImage])
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

/** Provides the stack and the images of a project. What is there costs a look. @throws SUPPLY-…, STACK-… */
export async function supply(settings: Settings, progress: Progress, signal: AbortSignal): Promise<void> {
  await provision(settings.engine, { components, images: await wantedImages(settings) }, { progress, signal })
}
