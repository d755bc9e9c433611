import { unfired } from "../../core/within.js"
import type { EngineContext } from "../../engine/context.js"
import type { Credentials } from "../../net/registry/auth.js"
import { dockerTarget } from "../docker/target.js"
import type { Environment } from "../environment.js"
import type { OwnObjects } from "../kubernetes/own/rendered.js"
import type { Project } from "../places.js"
import type { Target } from "../target.js"

export interface TargetOptions {
  readonly engine: EngineContext
  readonly project: Pick<Project, "project" | "engine" | "services">
  readonly environment: Environment
  readonly service: string
  /** For the registry of the releases, where the target's host pulls itself. Default: those of `docker login`. */
  readonly login?: Credentials | undefined
  /** What the service brings itself, as the commit that is delivered has it. */
  readonly own?: OwnObjects | undefined
  readonly tell?: (line: string) => void
}

/** The place where a service of an environment runs, by the environment's `target`. @throws K8S-KUBECONFIG, K8S-UNREACHABLE */
export async function targetOf(options: TargetOptions): Promise<Target> {
  const { engine, environment } = options
  if (environment.target === "docker") return dockerTarget(options)
  // Large, and of no use to whoever has no cluster.
  const [{ kubernetesTarget }, { resolveImage }] = await Promise.all([
    import("../kubernetes/target.js"),
    import("../../engine/index.js"),
  ])
  const { progress, signal } = engine
  const image = (reference: string) =>
    resolveImage(engine.config, reference, { progress, signal: unfired(signal) }).then((found) => found.reference)
  return kubernetesTarget({ ...options, signal, image })
}
