import type { KubeObject } from "../../clients/kubernetes/object.js"

/** Any object of the Kubernetes API, as plain JSON: what a chart renders and what is applied. */
export type KubernetesObject = KubeObject

/** "Deployment catalog-blue": how messages name an object. */
export const objectName = (object: KubernetesObject): string => `${object.kind} ${object.metadata.name}`
