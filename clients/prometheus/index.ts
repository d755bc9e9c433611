import { z } from "zod"
import { fault, type Fault } from "../../core/errors.js"
import { parseJson } from "../../core/json.js"
import { readText, request, type HttpPolicy, type Peer } from "../../net/retry.js"

/** Client of Prometheus' HTTP API, as far as an analysis needs it. https://prometheus.io/docs/prometheus/2.53/querying/api/ */
export interface Prometheus {
  readonly url: string
  /**
   * One number of an instant query; undefined when it finds nothing, NaN or an infinity (a division by zero).
   * @param at moment of the evaluation, seconds since 1970; default: the server's now
   * @throws METRICS-UNREACHABLE (errored) when nobody answers, METRICS-QUERY (usage) when the query is no PromQL, or
   *   answers more than one series
   */
  query(promql: string, signal: AbortSignal, at?: number): Promise<number | undefined>
  /** Whether it has read its storage and answers queries. Never throws for a server that does not answer. */
  isReady(signal: AbortSignal): Promise<boolean>
}

export interface PrometheusOptions {
  /** Base address, with the route prefix if there is one: "http://127.0.0.1:9090", "https://example.org/prometheus". */
  readonly url: string
  /** PEM bundle trusted besides Node's own. */
  readonly ca?: string | undefined
  /** What to do when it does not answer. */
  readonly hint?: string
  readonly policy?: HttpPolicy
  /** A way there other than plain HTTP, e.g. through an API server. Repeats by itself what may pass. */
  readonly send?: SendToPrometheus
}

/** @throws errored faults when there is no answer */
export type SendToPrometheus = (request: {
  /** Below the base address, with a leading slash. */
  readonly path: string
  /** Sent as a form by POST; undefined: a GET. */
  readonly form?: URLSearchParams
  readonly signal: AbortSignal
  /** Answers at once, whatever it is. */
  readonly once?: boolean
}) => Promise<{ readonly status: number; readonly text: string }>

/** A rollout waits for the answer: soon is better than surely. Milliseconds. */
const impatient: HttpPolicy = { attempts: 3, backoff: 200, maxPause: 1000, timeout: 5000 }

/** A sample is [seconds since 1970, value as text]: JSON has no NaN. */
const Sample = z.tuple([z.number(), z.string()])
const Success = z.object({
  status: z.literal("success"),
  data: z.discriminatedUnion("resultType", [
    z.object({
      resultType: z.literal("vector"),
      // Without a value: a native histogram.
      result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: Sample.optional() })),
    }),
    z.object({ resultType: z.literal("scalar"), result: Sample }),
    z.object({ resultType: z.literal("matrix"), result: z.array(z.unknown()) }),
    z.object({ resultType: z.literal("string"), result: Sample }),
  ]),
})
const Refusal = z.object({ status: z.literal("error"), errorType: z.string(), error: z.string() })

export function prometheusClient(options: PrometheusOptions): Prometheus {
  const url = options.url.replace(/\/+$/, "")
  const peer: Peer = {
    name: `Prometheus at ${url}`,
    code: "METRICS-UNREACHABLE",
    hint: options.hint ?? "Check `environments.<name>.prometheus.url` in gantry.config.ts, and the network.",
  }
  const send = options.send ?? overHttp(peer, url, { ...impatient, ca: options.ca, ...options.policy })
  return {
    url,
    async query(promql, signal, at) {
      const params = { query: promql, timeout: "5s", ...(at === undefined ? {} : { time: at.toFixed(3) }) }
      // A POST for the sake of long queries; it changes nothing and may be repeated.
      const answer = await send({ path: "/api/v1/query", form: new URLSearchParams(params), signal })
      return numberOf(promql, readAnswer(peer, answer, promql))
    },
    async isReady(signal) {
      try {
        return isOk(await send({ path: "/-/ready", signal, once: true }))
      } catch {
        signal.throwIfAborted()
        return false
      }
    },
  }
}

function overHttp(peer: Peer, url: string, policy: HttpPolicy): SendToPrometheus {
  return async ({ path, form, signal, once = false }) => {
    const init = form === undefined ? {} : { method: "POST" as const, body: form }
    const response = await request(
      peer,
      `${url}${path}`,
      { ...init, headers: { accept: "application/json" }, signal },
      once ? { ...policy, attempts: 1 } : policy,
    )
    return { status: response.status, text: await readText(peer, response) }
  }
}

type Data = z.infer<typeof Success>["data"]
type Answer = Awaited<ReturnType<SendToPrometheus>>

const isOk = ({ status }: Answer) => status >= 200 && status < 300

function readAnswer(peer: Peer, answer: Answer, promql: string): Data {
  const { status, text } = answer
  const json = parseJson(text)
  const refusal = Refusal.safeParse(json).data
  // bad_data: not PromQL · execution: PromQL that cannot be evaluated, e.g. several series on both sides of a division.
  if (refusal !== undefined && ["bad_data", "execution"].includes(refusal.errorType)) {
    throw queryFault(promql, refusal.error)
  }
  const parsed = Success.safeParse(json)
  if (isOk(answer) && parsed.success) return parsed.data.data
  throw fault({
    code: peer.code,
    kind: "errored",
    message: `${peer.name} does not answer as Prometheus does`,
    reason: `HTTP ${status}: ${refusal?.error ?? (text.replace(/\s+/g, " ").trim().slice(0, 200) || "no body")}`,
    hint: peer.hint,
  })
}

function numberOf(promql: string, data: Data): number | undefined {
  if (data.resultType === "matrix")
    throw queryFault(promql, "it answers series over time, not a number: an instant is wanted")
  if (data.resultType === "string") throw queryFault(promql, "it answers a text, not a number")
  if (data.resultType === "scalar") return finite(data.result[1])
  if (data.result.length > 1) {
    throw queryFault(promql, `it answers ${data.result.length} series, and one number is wanted`)
  }
  return finite(data.result[0]?.value?.[1])
}

function finite(text: string | undefined): number | undefined {
  const number = Number(text) // "NaN", "+Inf" and "-Inf" are Prometheus' own; Number knows none of them as finite.
  return text !== undefined && Number.isFinite(number) ? number : undefined
}

function queryFault(promql: string, reason: string): Fault {
  return fault({
    code: "METRICS-QUERY",
    kind: "usage",
    message: "A query of the analysis cannot be used",
    reason: `${reason}\n${promql}`,
    hint: "It is PromQL that answers one number, e.g. sum(…) / sum(…). docs/analysis.md has the placeholders and examples.",
  })
}
