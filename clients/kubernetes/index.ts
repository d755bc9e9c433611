import { setTimeout as sleep } from "node:timers/promises"
import { fault } from "../../core/errors.js"
import { unfired } from "../../core/within.js"
import { loadKubeConfig, type KubeSource } from "./config.js"
import {
  conflictsOf,
  garbledFault,
  isDenied,
  statusFault,
  unaskedWebhook,
  unreachableFault,
  type Asked,
  type Conflict,
  type Status,
} from "./faults.js"
import { refOf, type KubeObject, type KubeRef } from "./object.js"
import { groupPath, resourcesOf } from "./resources.js"
import { sender, type KubeAnswer, type KubeRequest } from "./send.js"

export { refOf, refText, type KubeMetadata, type KubeObject, type KubeRef } from "./object.js"
export { quotaFault, terminatingFault, unaskedWebhook, webhookFault, type Conflict } from "./faults.js"
export type { KubeSource } from "./config.js"

/** Who owns the fields that Gantry sets: https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
export const fieldManager = "gantry"

/** A Kubernetes cluster, as far as environments need it. Objects are plain JSON, as the API has them. */
export interface Cluster {
  /** Name of the context, for people. */
  readonly context: string
  readonly server: string
  read<T extends KubeObject>(ref: KubeRef): Promise<T | undefined>
  /** @param labels a label selector: "a=b,c" */
  list<T extends KubeObject>(what: ListOf): Promise<readonly T[]>
  /**
   * Server-side apply, never forced. `dryRun` answers what it would become; `would`, what it would become if others' changes
   * to our fields gave way. @throws K8S-CONFLICT, K8S-INVALID, K8S-DENIED
   */
  apply<T extends KubeObject>(object: KubeObject, options?: ApplyOptions): Promise<T>
  /** Undefined when one of that name is there already. */
  create<T extends KubeObject>(object: KubeObject): Promise<T | undefined>
  /** The whole object, as of its resourceVersion; undefined when somebody else was faster, or it is gone. */
  replace<T extends KubeObject>(object: KubeObject): Promise<T | undefined>
  /**
   * JSON merge patch; undefined when there is no such object. One with a `metadata.resourceVersion` holds for the object as of
   * that alone: undefined as well when it has changed since. @param subresource e.g. "scale"
   */
  patch<T extends KubeObject>(ref: KubeRef, patch: Patch, subresource?: string): Promise<T | undefined>
  /** Harmless when it is gone. What it owns goes in the background, or first. */
  remove(ref: KubeRef, options?: RemoveOptions): Promise<void>
  /** "" when the pod is gone or has written nothing. */
  logs(pod: Omit<KubeRef, "apiVersion" | "kind">, options: LogsOptions): Promise<string>
  /** Hands on what a pod writes until it ends or `signal` fires. */
  follow(
    pod: Omit<KubeRef, "apiVersion" | "kind">,
    onChunk: (chunk: Buffer) => void,
    signal: AbortSignal,
  ): Promise<void>
  serves(apiVersion: string, kind: string): Promise<boolean>
  /**
   * A request below the API server, e.g. through its proxy to a Service. Only a server that does not answer at all is waited
   * for: what stands behind the proxy, or that nobody does (503), is an answer. @throws K8S-FORBIDDEN, K8S-UNAUTHORIZED
   */
  raw(
    method: "GET" | "POST",
    path: string,
    asked: Asked,
    body?: { readonly text: string; readonly type: string },
  ): Promise<KubeAnswer>
}

export interface ApplyOptions {
  readonly dryRun?: boolean | "would"
  /** Who owns the fields. Default: `fieldManager`. */
  readonly manager?: string
  /** Whether a field that somebody else has set is taken from him. Only where that holds for all of them. */
  over?(conflict: Conflict): Promise<boolean>
}

export interface Patch {
  readonly metadata?: { readonly resourceVersion?: string | undefined; readonly [field: string]: unknown }
  readonly [field: string]: unknown
}

export interface ListOf {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string | undefined
  readonly labels?: string | undefined
  readonly fields?: string | undefined
}

export interface RemoveOptions {
  readonly graceSeconds?: number
  readonly foreground?: boolean
  /** Only this very object, not one of the same name that was made since. */
  readonly uid?: string | undefined
}

export interface LogsOptions {
  readonly lines: number
  /** Of the container that ended before the one that runs. */
  readonly previous?: boolean
  readonly container?: string
}

export interface ClusterOptions extends KubeSource {
  /** Ends every call, and those that come later. */
  readonly signal?: AbortSignal | undefined
  /**
   * When it fires, nobody waits any longer for a server that does not answer. One that answers is asked all the same, and what comes
   * later is waited for as ever: whoever is interrupted goes back, and lets go of what he holds.
   */
  readonly interrupt?: AbortSignal | undefined
  /** How long a server that does not answer is waited for. Seconds. Default 60. */
  readonly patienceSeconds?: number
  /** Told once when the server does not answer, and when it answers again. */
  tell?(line: string): void
}

const requestMs = 15_000
const retryMs = 500

/** @throws K8S-KUBECONFIG; its calls: K8S-UNREACHABLE, K8S-UNAUTHORIZED, K8S-FORBIDDEN, and what the cluster refuses */
export function kubeCluster(options: ClusterOptions): Cluster {
  const config = loadKubeConfig(options)
  const context = config.getCurrentContext()
  const server = config.getCurrentCluster()?.server ?? ""
  const send = sender(config)
  const signal = options.signal ?? new AbortController().signal
  const patience = options.patienceSeconds ?? 60
  const timeoutMs = Math.min(requestMs, patience * 1000)

  /** Sent until it is answered. All that is sent here may be sent twice: it says how things shall be, not what to add. */
  const patiently = async (
    request: Omit<KubeRequest, "signal" | "timeoutMs">,
    anyStatus = false,
  ): Promise<KubeAnswer> => {
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

  const resources = resourcesOf(async (path) => {
    const answer = await patiently({ method: "GET", path })
    if (answer.status === 404) return undefined
    if (answer.status >= 300) throw refusal({ verb: "get", resource: path, context }, answer)
    return parse(answer.text)
  })

  const pathOf = async (ref: Omit<KubeRef, "name"> & { readonly name?: string }) => {
    const resource = await resources.find(ref.apiVersion, ref.kind)
    const namespace = resource.namespaced && ref.namespace !== undefined ? `/namespaces/${ref.namespace}` : ""
    const name = ref.name === undefined ? "" : `/${encodeURIComponent(ref.name)}`
    return { path: `${groupPath(ref.apiVersion)}${namespace}/${resource.name}${name}`, resource }
  }
  const parse = (text: string): unknown => {
    try {
      return JSON.parse(text) as unknown
    } catch {
      throw garbledFault(server, text)
    }
  }
  const refusal = (asked: Asked, answer: KubeAnswer) => statusFault(asked, statusOf(answer))
  const call = async <T>(
    verb: string,
    ref: Omit<KubeRef, "name"> & { readonly name?: string },
    request: {
      method: KubeRequest["method"]
      sub?: string
      query?: Record<string, string>
      body?: unknown
      type?: string
      over?: ApplyOptions["over"]
    },
    accepted: readonly number[] = [],
  ): Promise<T | undefined> => {
    const { path, resource } = await pathOf(request.method === "POST" ? without(ref) : ref)
    const query = new URLSearchParams(request.query).toString()
    const answer = await patiently({
      method: request.method,
      path: `${path}${request.sub === undefined ? "" : `/${request.sub}`}${query === "" ? "" : `?${query}`}`,
      body: request.body === undefined ? undefined : JSON.stringify(request.body),
      contentType: request.type,
    })
    if (accepted.includes(answer.status)) return undefined
    const { over, ...once } = request
    if (answer.status === 409 && over !== undefined) {
      const conflicts = conflictsOf(statusOf(answer))
      const given = await Promise.all(conflicts.map(over))
      if (given.length > 0 && given.every(Boolean))
        return call(verb, ref, { ...once, query: { ...request.query, force: "true" } })
    }
    const sub = request.sub === undefined ? "" : `/${request.sub}`
    const asked = { verb, resource: `${resource.full}${sub}`, namespace: ref.namespace, name: ref.name, context }
    if (answer.status >= 300) throw refusal(asked, answer)
    return parse(answer.text) as T
  }
  const some = <T>(value: T | undefined, ref: KubeRef): T => {
    if (value !== undefined) return value
    throw fault({
      code: "K8S-REFUSED",
      kind: "errored",
      message: `The cluster did not answer about ${ref.kind} ${ref.name}`,
    })
  }

  return {
    context,
    server,
    read: (ref) => call("get", ref, { method: "GET" }, [404]),
    async list({ apiVersion, kind, namespace, labels, fields }) {
      const query = { ...(labels && { labelSelector: labels }), ...(fields && { fieldSelector: fields }) }
      const list = await call<{ items?: KubeObject[] }>(
        "list",
        { apiVersion, kind, namespace },
        { method: "GET", query },
      )
      // Items of a list say neither their kind nor their version.
      return (list?.items ?? []).map((item) => ({ ...item, apiVersion, kind })) as never
    },
    async apply(object, { dryRun = false, manager = fieldManager, over } = {}) {
      const query = {
        fieldManager: manager,
        force: String(dryRun === "would"),
        ...(dryRun === false ? {} : { dryRun: "All" }),
      }
      const type = "application/apply-patch+yaml" // JSON is YAML.
      const request = { method: "PATCH", query, body: object, type, ...(over && { over }) } as const
      return some(await call("patch", refOf(object), request), refOf(object))
    },
    create: (object) => call("create", refOf(object), { method: "POST", query: { fieldManager }, body: object }, [409]),
    replace: (object) =>
      call("update", refOf(object), { method: "PUT", query: { fieldManager }, body: object }, [404, 409]),
    patch: (ref, patch, subresource) =>
      call(
        "patch",
        ref,
        {
          method: "PATCH",
          body: patch,
          type: "application/merge-patch+json",
          query: { fieldManager },
          ...(subresource === undefined ? {} : { sub: subresource }),
        },
        patch.metadata?.resourceVersion === undefined ? [404] : [404, 409],
      ),
    async remove(ref, { graceSeconds, foreground = false, uid } = {}) {
      const body = {
        kind: "DeleteOptions",
        apiVersion: "v1",
        propagationPolicy: foreground ? "Foreground" : "Background",
        ...(graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }),
        ...(uid === undefined ? {} : { preconditions: { uid } }),
      }
      await call("delete", ref, { method: "DELETE", body }, [404, 409])
    },
    async logs({ namespace, name }, { lines, previous = false, container }) {
      const query = new URLSearchParams({
        tailLines: String(lines),
        ...(previous ? { previous: "true" } : {}),
        ...(container && { container }),
      })
      const path = `/api/v1/namespaces/${namespace ?? "default"}/pods/${name}/log?${query.toString()}`
      const answer = await patiently({ method: "GET", path })
      // 400: its container has not been started yet, or there was none before.
      if (answer.status === 404 || answer.status === 400) return ""
      if (answer.status >= 300) throw refusal({ verb: "get", resource: "pods/log", namespace, name, context }, answer)
      return answer.text
    },
    async follow({ namespace, name }, onChunk, stop) {
      const path = `/api/v1/namespaces/${namespace ?? "default"}/pods/${name}/log?follow=true`
      await send({ method: "GET", path, signal: stop, timeoutMs: 0, onChunk }).catch(() => undefined)
    },
    serves: resources.serves,
    async raw(method, path, asked, body) {
      // What stands behind a proxy has statuses of its own.
      const answer = await patiently({ method, path, body: body?.text, contentType: body?.type }, true)
      if (answer.status === 401 || answer.status === 403) throw refusal(asked, answer)
      return answer
    },
  }
}

const without = ({ apiVersion, kind, namespace }: Omit<KubeRef, "name">) => ({ apiVersion, kind, namespace })

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

function statusOf({ status, text }: KubeAnswer): Status {
  try {
    return { ...(JSON.parse(text) as Status), code: status }
  } catch {
    return { code: status, message: text.slice(0, 300) }
  }
}
