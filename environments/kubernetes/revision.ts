import type { Pod } from "./kinds.js"
import type { KubernetesObject } from "./object.js"
import { isObserved } from "./rollout-status.js"

/**
 * wanted: its template is the one that is declared, or nothing says otherwise. left: it is of a template before.
 * unheard: what makes it has not been looked at by its controller since it was changed, so nobody can tell yet.
 */
export type Revision = "wanted" | "left" | "unheard"

/** How controllers count templates, and mark what they have made of each. */
interface Counted extends KubernetesObject {
  readonly status?: { readonly observedGeneration?: number; readonly updateRevision?: string }
}

/** k8s.io/kubernetes/pkg/controller/deployment/util: RevisionAnnotation, on a Deployment and on its ReplicaSets. */
const deploymentRevision = "deployment.kubernetes.io/revision"
/** k8s.io/api/apps/v1: StatefulSetRevisionLabel. */
const setRevision = "controller-revision-hash"
/** k8s.io/api/apps/v1: DeprecatedTemplateGeneration; k8s.io/api/extensions/v1beta1: DaemonSetTemplateGenerationKey. */
const daemonRevision = { set: "deprecated.daemonset.template.generation", pod: "pod-template-generation" }

/**
 * Whether a pod is of the template that is declared now: what one of the template before suffers from, the new one may mend.
 * Pure. @param makers what makes pods, as it is now, ReplicaSets among them
 */
export function revisionOf(pod: Pod, makers: readonly KubernetesObject[]): Revision {
  const owner = ownerOf(pod, makers)
  const labels = pod.metadata.labels
  switch (owner?.kind) {
    case "StatefulSet":
      return compared(owner, labels?.[setRevision], owner.status?.updateRevision)
    case "DaemonSet":
      return compared(owner, labels?.[daemonRevision.pod], owner.metadata.annotations?.[daemonRevision.set])
    case "ReplicaSet": {
      const deployment = ownerOf(owner, makers)
      if (deployment === undefined) return "wanted"
      return compared(deployment, countOf(owner), newestOf(deployment, makers))
    }
    default:
      return "wanted"
  }
}

const countOf = ({ metadata }: KubernetesObject) => metadata.annotations?.[deploymentRevision]

/**
 * A Deployment's newest revision. One that goes back to a template of before counts that one's ReplicaSet up first, and itself a
 * moment later.
 */
function newestOf(deployment: KubernetesObject, makers: readonly KubernetesObject[]): string | undefined {
  const own = makers.filter((m) => m.kind === "ReplicaSet" && ownerOf(m, [deployment]) !== undefined)
  const counts = [deployment, ...own].flatMap((o) => countOf(o) ?? []).map(Number)
  return counts.length === 0 ? undefined : String(Math.max(...counts))
}

function compared(maker: Counted, own: string | undefined, wanted: string | undefined): Revision {
  if (!isObserved(maker)) return "unheard"
  return own === undefined || wanted === undefined || own === wanted ? "wanted" : "left"
}

const ownerOf = ({ metadata }: KubernetesObject, makers: readonly KubernetesObject[]): Counted | undefined =>
  makers.find((m) => metadata.ownerReferences?.some(({ uid }) => uid === m.metadata.uid) === true) as
    Counted | undefined
