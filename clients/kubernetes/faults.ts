import { fault, type Fault } from "../../core/errors.js"

/** What the API answers when it says no. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
export interface Status {
  readonly code: number
  readonly reason?: string | undefined
  readonly message?: string | undefined
  readonly details?: {
    readonly name?: string
    readonly kind?: string
    readonly causes?: readonly { readonly reason?: string; readonly field?: string; readonly message?: string }[]
  }
}

/** What was asked of the API, for people. */
export interface Asked {
  /** As RBAC has it: get, list, create, patch, delete. */
  readonly verb: string
  /** As RBAC has it: "deployments.apps", "pods/log". */
  readonly resource: string
  readonly namespace?: string | undefined
  readonly name?: string | undefined
  /** Who asks, and whom. */
  readonly context: string
}

const thing = ({ resource, name, namespace }: Asked) =>
  `${resource}${name === undefined ? "" : ` ${name}`}${namespace === undefined ? "" : ` in namespace ${namespace}`}`

/** The fault of an answer that is no success. Statuses that callers expect (404, 409 on create) do not come here. */
export function statusFault(asked: Asked, status: Status): Fault {
  const said = status.message ?? `status ${status.code}`
  const errored = (code: string, message: string, hint: string) =>
    fault({ code, kind: "errored", message, reason: said, hint })
  if (status.code === 401) {
    return errored(
      "K8S-UNAUTHORIZED",
      `The cluster does not know who asks (context ${asked.context})`,
      "Its token or certificate has expired or is of another cluster: log in again, or make a new token (gantry env rbac <environment> says how).",
    )
  }
  if (status.code === 403 && isQuota(said)) return quotaFault(asked.namespace, said)
  if (status.code === 403 && /being terminated/.test(said)) return terminatingFault(asked.namespace ?? "", said)
  if (isDenied(said) || (status.code === 403 && /violates PodSecurity/.test(said))) return deniedFault(asked, said)
  if (unaskedWebhook(said) !== undefined) return webhookFault(thing(asked), said)
  if (status.code === 403) {
    const { verb, resource, namespace } = asked
    return errored(
      "K8S-FORBIDDEN",
      `The account of context ${asked.context} may not ${verb} ${resource}${namespace === undefined ? "" : ` in namespace ${namespace}`}`,
      `Give it that right: verb "${verb}", resource "${resource}"${namespace === undefined ? ", in the cluster" : `, namespace "${namespace}"`}. \`gantry env rbac <environment>\` writes all that Gantry needs there.`,
    )
  }
  if (status.code === 409 && status.reason === "Conflict" && conflictsOf(status).length > 0) {
    return conflictFault(asked, status)
  }
  if (status.code === 404 && /^namespaces? /.test(said)) {
    return errored(
      "K8S-NAMESPACE",
      `There is no namespace ${asked.namespace ?? ""}`,
      "Somebody who may make namespaces makes it: gantry env rbac <environment> | kubectl apply -f -",
    )
  }
  if (status.code === 400 || status.code === 422 || status.code === 404) {
    return fault({
      code: "K8S-INVALID",
      kind: "failed",
      message: `The cluster refuses ${thing(asked)}`,
      reason: said,
      hint: "Correct what the message names: the service's settings, its chart or its manifests.",
    })
  }
  return errored("K8S-REFUSED", `The cluster did not ${asked.verb} ${thing(asked)}`, "Run the same command again.")
}

/** A field, as in ".spec.replicas", and who has set it. */
export interface Conflict {
  readonly field: string
  readonly manager: string
}

/** Fields that somebody else has set: server-side apply names them in the causes. */
export function conflictsOf(status: Status): readonly Conflict[] {
  return (status.details?.causes ?? [])
    .filter((c) => c.reason === "FieldManagerConflict")
    .map((c) => ({ field: c.field ?? "?", manager: /conflict with "([^"]+)"/.exec(c.message ?? "")?.[1] ?? "?" }))
}

function conflictFault(asked: Asked, status: Status): Fault {
  const fields = conflictsOf(status).map(({ field, manager }) => `${field}: set by ${manager}`)
  return fault({
    code: "K8S-CONFLICT",
    kind: "errored",
    message: `Somebody else has changed ${thing(asked)}, and Gantry does not overwrite that`,
    reason: fields.join("\n"),
    hint: `Find out why. To give the fields back to Gantry, remove them from that manager, or delete the object: kubectl${asked.namespace === undefined ? "" : ` -n ${asked.namespace}`} get ${asked.resource} ${asked.name ?? ""} -o yaml --show-managed-fields shows who set what.`,
  })
}

/** Whether the cluster has no room for something, by somebody's decision. Pure. @param said in the cluster's words */
export const isQuota = (said: string): boolean => /exceeded quota/.test(said)

/** Whether a webhook or a policy said no: a webhook chooses the status itself, also one that other servers mean "later" by. Pure. */
export const isDenied = (said: string): boolean => /denied (the )?request/.test(said)

/** Name of the admission webhook that the API server could not ask; undefined: it is about something else. Pure. */
export const unaskedWebhook = (said: string): string | undefined => /failed calling webhook "([^"]+)"/.exec(said)?.[1]

/** The cluster lets nothing through unless a webhook was asked, and that one cannot be. @param what was to be changed, for people */
export function webhookFault(what: string, said: string): Fault {
  return fault({
    code: "K8S-WEBHOOK",
    kind: "errored",
    message: `The admission webhook ${unaskedWebhook(said) ?? "?"} cannot be asked about ${what}`,
    reason: said,
    hint: "The cluster changes nothing without it. Those who keep it have to make its server answer: kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations -o wide; its clientConfig says where it is. Then run the same command again.",
  })
}

/** An admission webhook or policy of the cluster said no: the work has to change, or the policy. */
function deniedFault(asked: Asked, said: string): Fault {
  const webhook = /admission webhook "([^"]+)"/.exec(said)?.[1]
  const policy = /ValidatingAdmissionPolicy '([^']+)'/.exec(said)?.[1]
  const who =
    webhook !== undefined
      ? `The admission webhook ${webhook}`
      : policy === undefined
        ? "A policy of the cluster"
        : `The policy ${policy}`
  return fault({
    code: "K8S-DENIED",
    kind: "failed",
    message: `${who} does not let ${thing(asked)} be made`,
    reason: said,
    hint: "Change what it objects to, or ask those who keep the policy.",
  })
}

export function quotaFault(namespace: string | undefined, said: string): Fault {
  return fault({
    code: "K8S-QUOTA",
    kind: "errored",
    message: `The quota of namespace ${namespace ?? "?"} does not suffice`,
    reason: said,
    hint: `Raise it, lower \`resources\` or \`replicas\` of the environment, or remove what is not needed: kubectl -n ${namespace ?? "<namespace>"} describe resourcequota.`,
  })
}

export function terminatingFault(namespace: string, said: string): Fault {
  return fault({
    code: "K8S-NAMESPACE-TERMINATING",
    kind: "errored",
    message: `The namespace ${namespace} is being deleted`,
    reason: said,
    hint: `Wait until it is gone, then make it anew: gantry env rbac <environment> | kubectl apply -f -. If it does not go: kubectl get namespace ${namespace} -o yaml says what holds it.`,
  })
}

/** Nobody answered, for as long as was waited. */
export function unreachableFault(server: string, context: string, seconds: number, cause: unknown): Fault {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return fault({
    code: "K8S-UNREACHABLE",
    kind: "errored",
    message: `The API server ${server} (context ${context}) does not answer, waited ${seconds.toFixed(0)} s`,
    reason,
    hint: "Nothing half done is lost: once it answers, run the same command again; it goes on from what runs.",
    cause,
  })
}

/** The server asks for JSON that it cannot read, or answers none: a proxy in between, mostly. */
export function garbledFault(server: string, text: string): Fault {
  return fault({
    code: "K8S-GARBLED",
    kind: "errored",
    message: `${server} answers, but not as a Kubernetes API server`,
    reason: text.slice(0, 200),
    hint: "Check the address in the kubeconfig, and whether a proxy stands in between.",
  })
}
