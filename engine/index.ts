/**
 * Where containers come from: the Dagger session, the local stack, images. What the layers above use; everything else in
 * this folder is private to it.
 */
import { engineContext, type ContextOptions } from "./context.js"
import type { EngineConfig } from "./config.js"
import { resolveWith, type ResolvedImage } from "./image/resolve.js"
import { localImage as provideLocal, type LocalImage } from "./image/local.js"
import { ensureDocker as provideDocker } from "./docker/ensure.js"
import type { DockerVersion } from "./docker/client.js"
import { registry } from "./stack/registry.js"
import { ensureComponents } from "./stack/ensure.js"

export { engineConfig, homeOf, registryAddress, type EngineConfig, type EngineConfigInput } from "./config.js"
export type { ContextOptions } from "./context.js"
export { daggerVersion } from "./dagger-version.js"
export { dockerClient } from "./docker/client.js"
export { hostCa } from "./ca.js"
export { withHostCa, withoutHostCa } from "./session/ca.js"
export { openSession, type Session, type SessionOptions } from "./session/open.js"
export { parseReference, formatReference, applyMirror, atDigest, type Reference } from "./image/reference.js"
export { rewriteDockerfile, dockerfileImages } from "./image/dockerfile.js"
export { ensureStack } from "./stack/ensure.js"
export { stackUp, stackDown, stackStatus, type ComponentStatus } from "./stack/manage.js"
export { sonarqubeAddress, sonarqubeAdmin, type SonarqubeAdmin } from "./stack/sonarqube-admin.js"
export { scannerReference } from "./recipes/sonarqube.js"
export { helmTool } from "./tools/helm.js"
export { kustomizeTool } from "./tools/kustomize.js"
export type { Tool, ToolRan, ToolRun } from "./tools/run.js"
export { isCompromisedTrivy, subsetFolder, trivyReference } from "./trivy-version.js"
export type { ResolvedImage } from "./image/resolve.js"
export type { LocalImage } from "./image/local.js"
export { provision } from "./provision.js"
export { doctor, type Finding } from "./doctor.js"

/**
 * The one way to name an image. Answers a reference by digest that the host's Docker Engine and the Dagger engine can
 * both pull: from a configured mirror, from its public registry, or made from packages and pushed to the stack's own.
 * `reference` as in `docker pull`: "haproxy:3.0", "docker.io/library/node:22-slim".
 * Errors: CONFIG-IMAGE, SUPPLY-MIRROR, SUPPLY-REGISTRY, SUPPLY-NO-IMAGE, and those of making and pushing.
 */
export function resolveImage(
  config: EngineConfig,
  reference: string,
  options: ContextOptions = {},
): Promise<ResolvedImage> {
  const context = engineContext(config, options)
  return resolveWith(context, reference, () => ensureComponents(context, [registry.id]))
}

/** The image of a public reference on the host's Docker Engine, for containers that the Docker Engine runs. */
export function localImage(config: EngineConfig, reference: string, options: ContextOptions = {}): Promise<LocalImage> {
  return provideLocal(engineContext(config, options), reference)
}

/** Makes sure that a Docker Engine answers: uses, starts or installs one. */
export function ensureDocker(config: EngineConfig, options: ContextOptions = {}): Promise<DockerVersion> {
  return provideDocker(engineContext(config, options))
}
