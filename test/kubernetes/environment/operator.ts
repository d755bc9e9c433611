import { setTimeout as sleep } from "node:timers/promises"
import { kubeCluster, type KubeObject } from "../../../clients/kubernetes/index.js"
import type { Lab } from "../../lab/kubernetes/index.js"
import { redisPod } from "./redis.js"

/** The kind that the operator brings: of a group of its own, so that tests do not meet. */
export interface CacheKind {
  readonly group: string
  readonly apiVersion: string
  define(): Promise<void>
  remove(): Promise<void>
}

export function cacheKind(lab: Lab, group: string): CacheKind {
  const definition = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `caches.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { kind: "Cache", plural: "caches", singular: "cache" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        },
      ],
    },
  }
  return {
    group,
    apiVersion: `${group}/v1`,
    async define() {
      await lab.kubectl(["apply", "-f", "-"], { input: JSON.stringify(definition) })
      await lab.kubectl(["wait", "--for=condition=Established", "crd", definition.metadata.name, "--timeout=30s"])
    },
    remove: async () => void (await lab.kubectl(["delete", "crd", definition.metadata.name, "--ignore-not-found"])),
  }
}

interface Cache extends KubeObject {
  readonly spec?: { readonly image?: string; readonly replicas?: number } | null
}

/**
 * An operator as they are: it makes a StatefulSet of each Cache, owned by it, and writes its status. (Those of MySQL, Redis
 * and RocketMQ cannot be had here; docs/kubernetes-dependencies.md tells on which it was tried by hand.)
 * @param silent it writes no status
 */
export function runOperator(lab: Lab, kind: CacheKind, namespace: string, { silent = false } = {}) {
  const cluster = kubeCluster({ kubeconfig: lab.kubeconfig, context: lab.context })
  const stop = new AbortController()
  const reconcile = async (cache: Cache) => {
    const { name, uid, generation } = cache.metadata
    const labels = { "cache-of": name }
    const owner = { apiVersion: kind.apiVersion, kind: "Cache", name, uid }
    const set = await cluster.apply<KubeObject>(
      {
        apiVersion: "apps/v1",
        kind: "StatefulSet",
        metadata: { name: `${name}-members`, namespace, ownerReferences: [owner as never] },
        spec: {
          replicas: cache.spec?.replicas ?? 1,
          serviceName: name,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: redisPod(cache.spec?.image) },
        },
      },
      { manager: "cache-operator" },
    )
    if (silent) return
    const ready = (set["status"] as { readonly readyReplicas?: number } | undefined)?.readyReplicas ?? 0
    const whole = ready >= (cache.spec?.replicas ?? 1)
    const condition = {
      type: "Ready",
      status: whole ? "True" : "False",
      reason: whole ? "Whole" : "Starting",
      message: `${ready} members ready`,
    }
    const ref = { apiVersion: kind.apiVersion, kind: "Cache", namespace, name }
    const status = { observedGeneration: generation, phase: whole ? "Up" : "Starting", conditions: [condition] }
    await cluster.patch(ref, { status }, "status")
  }
  const work = async () => {
    while (!stop.signal.aborted) {
      const all = await cluster.list<Cache>({ apiVersion: kind.apiVersion, kind: "Cache", namespace })
      await Promise.all(all.map(reconcile))
      await sleep(300, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  }
  const done = work()
  return {
    async stop() {
      stop.abort()
      await done
    },
  }
}
