import type { Environment } from "../environment.js"
import type { Brought } from "../kubernetes/dependencies/bring.js"
import type { DependenciesOrder } from "../kubernetes/dependencies/order.js"

/** Whether an environment has dependencies of its own, wherever it runs by now. */
export const declaresDependencies = ({ kubernetes }: Environment): boolean =>
  Object.keys(kubernetes.dependencies).length > 0

/**
 * Brings what an environment's services depend on (MySQL, Redis, RocketMQ) to what is declared, and waits until it is ready.
 * Undefined where the environment's target has none.
 * @throws K8S-…, DEPENDENCY-…, OWN-…, CHART-RENDER, KUBERNETES-YAML
 */
export async function bringDependencies(order: DependenciesOrder): Promise<readonly Brought[] | undefined> {
  if (order.environment.target !== "kubernetes") return undefined
  // Of no use to whoever has no cluster.
  const { bringOnCluster } = await import("../kubernetes/dependencies/order.js")
  return bringOnCluster(order)
}
