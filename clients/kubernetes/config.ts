import { existsSync } from "node:fs"
import { KubeConfig } from "@kubernetes/client-node"
import { fault } from "../../core/errors.js"

export interface KubeSource {
  /** Path of a kubeconfig. Default: KUBECONFIG, else ~/.kube/config, else the account of the pod that this runs in. */
  readonly kubeconfig?: string | undefined
  /** One of its contexts. Default: its current one. */
  readonly context?: string | undefined
}

/**
 * Finds out how to reach a cluster: kubeconfig (also one that the GitLab agent wrote), or the account of the pod.
 * @throws K8S-KUBECONFIG
 */
export function loadKubeConfig({ kubeconfig, context }: KubeSource): KubeConfig {
  const config = new KubeConfig()
  const where = kubeconfig ?? process.env["KUBECONFIG"]
  if (kubeconfig !== undefined && !existsSync(kubeconfig)) throw unusable(`There is no file ${kubeconfig}.`, kubeconfig)
  try {
    if (kubeconfig === undefined) config.loadFromDefault()
    else config.loadFromFile(kubeconfig)
  } catch (cause) {
    throw unusable((cause as Error).message.split("\n")[0] ?? "", where, cause)
  }
  const known = config.getContexts().map((c) => c.name)
  if (context !== undefined) {
    if (!known.includes(context)) throw unusable(`It has no context "${context}", but: ${known.join(", ")}.`, where)
    config.setCurrentContext(context)
  }
  const cluster = config.getCurrentCluster()
  // The library's way to say that it found nothing at all.
  if (cluster === null || (cluster.name === "cluster" && cluster.server === "http://localhost:8080")) {
    throw unusable("No cluster is named there, and this is no pod of one.", where)
  }
  return config
}

function unusable(reason: string, where: string | undefined, cause?: unknown) {
  return fault({
    code: "K8S-KUBECONFIG",
    kind: "usage",
    message: `${where ?? "The kubeconfig"} does not say how to reach the cluster`,
    reason,
    hint: "Set KUBECONFIG, or `kubernetes: { kubeconfig, context }` of the environment in gantry.config.ts. Try it: kubectl --context <name> get namespaces.",
    cause,
  })
}
