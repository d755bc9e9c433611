import { conditionOf, type Deployment } from "./kinds.js"

interface Observed {
  readonly metadata: { readonly generation?: number }
  readonly status?: { readonly observedGeneration?: number } | undefined
}

/** Its controller has looked at it as it is now. Pure. */
export const isObserved = ({ metadata, status }: Observed): boolean =>
  status !== undefined && (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)

/** Pure. https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#complete-deployment */
export function isRolled(deployment: Deployment): boolean {
  const { spec, status } = deployment
  const wanted = spec.replicas ?? 1
  return (
    isObserved(deployment) &&
    (status?.updatedReplicas ?? 0) === wanted &&
    (status?.replicas ?? 0) === wanted &&
    (status?.availableReplicas ?? 0) === wanted
  )
}

/**
 * It has made no progress for its progressDeadlineSeconds. One that takes up a template of before may say so of an earlier time,
 * until there is progress again (k8s.io/kubernetes/pkg/controller/deployment/progress.go). Pure.
 */
export function isStuck(deployment: Deployment): boolean {
  const progress = conditionOf(deployment.status?.conditions, "Progressing")
  return progress?.status === "False" && progress.reason === "ProgressDeadlineExceeded" && isObserved(deployment)
}
