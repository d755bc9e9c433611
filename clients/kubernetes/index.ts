import { fault } from "../../core/errors.js"
import { caller } from "./call.js"
import type { Cluster, ClusterOptions } from "./cluster.js"
import { loadKubeConfig } from "./config.js"
import { refOf, type KubeObject, type KubeRef } from "./object.js"
import { patiently } from "./patience.js"
import { sender } from "./send.js"

export type { ApplyOptions, Cluster, ClusterOptions, ListOf, LogsOptions, Patch, RemoveOptions } from "./cluster.js"
export { refOf, refText, type KubeMetadata, type KubeObject, type KubeRef } from "./object.js"
export { isQuota, quotaFault, terminatingFault, unaskedWebhook, webhookFault, type Conflict } from "./faults.js"
export type { KubeSource } from "./config.js"

/** Who owns the fields that Gantry sets: https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
export const fieldManager = "gantry"

/** @throws K8S-KUBECONFIG; its calls: K8S-UNREACHABLE, K8S-UNAUTHORIZED, K8S-FORBIDDEN, and what the cluster refuses */
export function kubeCluster(options: ClusterOptions): Cluster {
  const config = loadKubeConfig(options)
  const context = config.getCurrentContext()
  const server = config.getCurrentCluster()?.server ?? ""
  const send = sender(config)
  const asking = { server, context }
  const sendPatiently = patiently(send, asking, options)
  const { call, refusal, serves } = caller(sendPatiently, asking)
  const some = <T>(value: T | undefined, ref: KubeRef): T => {
    if (value !== undefined) return value
    throw fault({
      code: "K8S-REFUSED",
      kind: "errored",
      message: `The cluster did not answer about ${ref.kind} ${ref.name}`,
    })
  }

  return {
    ...asking,
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
      const path = `${logPath(namespace, name)}?${query.toString()}`
      const answer = await sendPatiently({ method: "GET", path })
      // 400: its container has not been started yet, or there was none before.
      if (answer.status === 404 || answer.status === 400) return ""
      if (answer.status >= 300) throw refusal({ verb: "get", resource: "pods/log", namespace, name, context }, answer)
      return answer.text
    },
    async follow({ namespace, name }, onChunk, stop) {
      const path = `${logPath(namespace, name)}?follow=true`
      await send({ method: "GET", path, signal: stop, timeoutMs: 0, onChunk }).catch(() => undefined)
    },
    serves,
    async raw(method, path, asked, body) {
      // What stands behind a proxy has statuses of its own.
      const answer = await sendPatiently({ method, path, body: body?.text, contentType: body?.type }, true)
      if (answer.status === 401 || answer.status === 403) throw refusal(asked, answer)
      return answer
    },
  }
}

const logPath = (namespace: string | undefined, name: string) =>
  `/api/v1/namespaces/${namespace ?? "default"}/pods/${name}/log`
