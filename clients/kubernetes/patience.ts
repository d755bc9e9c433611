import { setTimeout as sleep } from "node:timers/promises"
import { unfired } from "../../core/within.js"
import { statusOf } from "./answer.js"
import type { ClusterOptions } from "./cluster.js"
import { isDenied, unaskedWebhook, unreachableFault } from "./faults.js"
import type { KubeAnswer, KubeRequest, Send } from "./send.js"

const requestMs = 15_000
const retryMs = 500

/** Sends, and sends again while the server does not answer. `anyStatus`: a status that says "later" is an answer, too. */
export type SendPatiently = (
  request: Omit<KubeRequest, "signal" | "timeoutMs">,
  anyStatus?: boolean,
) => Promise<KubeAnswer>

/** Whom requests go to, for people. */
export interface Asking {
  readonly server: string
  readonly context: string
}

/**
 * Requests that are sent until they are answered. All that is sent here may be sent twice: it says how things shall be, not
 * what to add. @throws K8S-UNREACHABLE
 */
export function patiently(send: Send, { server, context }: Asking, options: ClusterOptions): SendPatiently {
  const signal = options.signal ?? new AbortController().signal
  const patience = options.patienceSeconds ?? 60
  const timeoutMs = Math.min(requestMs, patience * 1000)
  return async (request, anyStatus = false) => {
    const started = performance.now()
    const interrupt = unfired(options.interrupt)
    let told: string | undefined
    for (;;) {
      signal.throwIfAborted()
      interrupt?.throwIfAborted()
      let silent = `the API server ${server}`
      let trouble: unknown
      let refused: KubeAnswer | undefined
      try {
        const answer = await send({ ...request, signal, timeoutMs })
        if (anyStatus || !isTemporary(answer)) {
          if (told !== undefined) options.tell?.(`${told} answers again`)
          return answer
        }
        refused = answer
        const { message = "" } = statusOf(answer)
        const webhook = unaskedWebhook(message)
        if (webhook !== undefined) silent = `the admission webhook ${webhook}`
        trouble = new Error(`status ${answer.status}: ${message}`)
      } catch (error) {
        signal.throwIfAborted()
        if (isFinal(error)) throw unreachableFault(server, context, 0, error)
        trouble = error
      }
      const seconds = (performance.now() - started) / 1000
      // A webhook that does not answer, say: the server has words for it.
      if (seconds > patience && refused !== undefined) return refused
      if (seconds > patience) throw unreachableFault(server, context, seconds, trouble)
      if (told !== silent) options.tell?.(`${silent} does not answer (${(trouble as Error).message}); it is waited for`)
      told = silent
      await sleep(retryMs, undefined, { signal })
    }
  }
}

/** 429 and these of 5xx: later. 500 is mostly a webhook that does not answer, or etcd in an election. One that said no has answered. */
const isTemporary = (answer: KubeAnswer) =>
  (answer.status === 429 || answer.status === 500 || (answer.status >= 502 && answer.status <= 504)) &&
  !isDenied(statusOf(answer).message ?? "")

/** Waiting does not help: the server is not the one that the kubeconfig trusts, or it does not trust us. */
function isFinal(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code
  return (
    typeof code === "string" &&
    /^(ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_SSL|ENOTFOUND|ERR_INVALID)/.test(code)
  )
}
