import { fault, isFault } from "../../core/errors.js"
import type { Environment } from "../environment.js"

/** A cluster as a kubeconfig names it. */
export interface ClusterName {
  readonly context: string
  /** Address of its API server. */
  readonly server: string
}

type Where = Pick<Environment, "name" | "target" | "kubernetes">

/** The cluster that an environment is on as this machine finds it now. Undefined: on none, or nothing here says on which. */
export async function clusterOf({ target, kubernetes }: Where): Promise<ClusterName | undefined> {
  if (target !== "kubernetes") return undefined
  // Large, and of no use to whoever has no cluster.
  const { loadKubeConfig } = await import("../../clients/kubernetes/config.js")
  try {
    const config = loadKubeConfig(kubernetes)
    return { context: config.getCurrentContext(), server: config.getCurrentCluster()?.server ?? "" }
  } catch (error) {
    // Whoever needs the cluster says what is wrong with it.
    if (isFault(error)) return undefined
    throw error
  }
}

/** Of each environment that is on one, by its name. */
export async function clustersOf(
  environments: Readonly<Record<string, Environment>>,
): Promise<Readonly<Record<string, ClusterName>>> {
  const found = await Promise.all(Object.values(environments).map(async (e) => [e.name, await clusterOf(e)] as const))
  return Object.fromEntries(found.flatMap(([name, cluster]) => (cluster === undefined ? [] : [[name, cluster]])))
}

/**
 * Whether a run may go on in an environment: one whose context is not named is wherever the current one leads, and that was
 * changed meanwhile. @param began undefined: not known, so nothing is checked @throws RUN-OTHER-CLUSTER
 */
export async function checkCluster(environment: Where, began: ClusterName | undefined): Promise<void> {
  if (began === undefined || environment.kubernetes.context !== undefined) return
  const now = await clusterOf(environment)
  if (now === undefined || (now.context === began.context && now.server === began.server)) return
  const { name } = environment
  throw fault({
    code: "RUN-OTHER-CLUSTER",
    kind: "usage",
    message: `${name} is not on the cluster any more on which this run began`,
    reason: `It began on ${text(began)}; now it is ${text(now)}, the current one.`,
    hint: `Go back: kubectl config use-context ${began.context}; or begin a new run. With environments.${name}.kubernetes.context in gantry.config.ts the current context does not matter.`,
  })
}

const text = ({ context, server }: ClusterName) => `context ${context} (${server})`
