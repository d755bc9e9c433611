import type { OwnObjects, OwnOrder } from "../kubernetes/own/rendered.js"

/**
 * The objects that a service brings itself to an environment, rendered from a tree; undefined: Gantry's own means run it
 * there. @throws OWN-…, KUBERNETES-YAML, CHART-RENDER
 */
export async function ownObjects(order: OwnOrder): Promise<OwnObjects | undefined> {
  const { environment, service } = order
  const own = environment.target === "kubernetes" ? environment.kubernetes.services[service]?.own : undefined
  if (own === undefined) return undefined
  // Of no use to whoever has no cluster.
  const { renderedOwn } = await import("../kubernetes/own/rendered.js")
  return renderedOwn(order, own)
}
