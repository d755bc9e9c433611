import { parsed, statusOf } from "./answer.js"
import type { ApplyOptions } from "./cluster.js"
import { conflictsOf, statusFault, type Asked } from "./faults.js"
import type { KubeRef } from "./object.js"
import type { Asking, SendPatiently } from "./patience.js"
import { groupPath, resourcesOf } from "./resources.js"
import type { KubeAnswer, KubeRequest } from "./send.js"

/** An object, or without a name all of its kind. */
type AnyRef = Omit<KubeRef, "name"> & { readonly name?: string }

export interface CallRequest {
  readonly method: KubeRequest["method"]
  /** A subresource, e.g. "scale". */
  readonly sub?: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly type?: string
  readonly over?: ApplyOptions["over"]
}

/** Calls about objects, at the paths that the cluster has for their kinds; refusals become faults. */
export function caller(send: SendPatiently, { server, context }: Asking) {
  const resources = resourcesOf(async (path) => {
    const answer = await send({ method: "GET", path })
    if (answer.status === 404) return undefined
    if (answer.status >= 300) throw refusal({ verb: "get", resource: path, context }, answer)
    return parsed(server, answer.text)
  })

  const pathOf = async (ref: AnyRef) => {
    const resource = await resources.find(ref.apiVersion, ref.kind)
    const namespace = resource.namespaced && ref.namespace !== undefined ? `/namespaces/${ref.namespace}` : ""
    const name = ref.name === undefined ? "" : `/${encodeURIComponent(ref.name)}`
    return { path: `${groupPath(ref.apiVersion)}${namespace}/${resource.name}${name}`, resource }
  }
  const refusal = (asked: Asked, answer: KubeAnswer) => statusFault(asked, statusOf(answer))
  const call = async <T>(
    verb: string,
    ref: AnyRef,
    request: CallRequest,
    accepted: readonly number[] = [],
  ): Promise<T | undefined> => {
    const { path, resource } = await pathOf(request.method === "POST" ? without(ref) : ref)
    const sub = request.sub === undefined ? "" : `/${request.sub}`
    const query = new URLSearchParams(request.query).toString()
    const answer = await send({
      method: request.method,
      path: `${path}${sub}${query === "" ? "" : `?${query}`}`,
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
    const asked = { verb, resource: `${resource.full}${sub}`, namespace: ref.namespace, name: ref.name, context }
    if (answer.status >= 300) throw refusal(asked, answer)
    return parsed(server, answer.text) as T
  }
  return { call, refusal, serves: resources.serves }
}

const without = ({ apiVersion, kind, namespace }: AnyRef) => ({ apiVersion, kind, namespace })
