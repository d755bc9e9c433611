import { isQuota, quotaFault, unaskedWebhook, webhookFault } from "../../clients/kubernetes/index.js"
import { fault, type Fault } from "../../core/errors.js"

/** What makes pods, and makes none. */
export interface Maker {
  readonly kind: string
  readonly metadata: { readonly name: string }
}

export const deploymentOf = (name: string): Maker => ({ kind: "Deployment", metadata: { name } })

/** Whether the cluster will not make these pods as they are: a quota, a policy. Pure. @param said in the cluster's words */
export const isRefusal = (said: string): boolean =>
  unaskedWebhook(said) === undefined &&
  !/status unknown for quota/.test(said) &&
  (isQuota(said) || /denied|forbidden|violates/.test(said))

/** The cluster makes no pods: a quota, or a policy. @param said in the cluster's words */
export function notMadeFault(namespace: string, { kind, metadata: { name } }: Maker, said: string): Fault {
  if (isQuota(said)) return quotaFault(namespace, said)
  if (unaskedWebhook(said) !== undefined) return webhookFault(`pods of ${kind} ${name} in ${namespace}`, said)
  const denied = isRefusal(said)
  // A Deployment's events are about its ReplicaSets, and theirs about pods.
  const what = kind === "Deployment" ? "replicaset" : `${kind.toLowerCase()} ${name}`
  return fault({
    code: denied ? "K8S-DENIED" : "K8S-NO-PODS",
    kind: denied ? "failed" : "errored",
    message: `The cluster makes no pods of ${kind} ${name} in ${namespace}`,
    reason: said,
    hint: `kubectl -n ${namespace} describe ${what}`,
  })
}
