import { randomBytes } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import type { KubeObject } from "../../clients/kubernetes/index.js"
import { fault } from "../../core/errors.js"
import { isAlive, thisProcess, type ProcessMark } from "../../core/process-mark.js"
import { hostname } from "node:os"
import type { HoldOptions, LockHolder, LockName, Locks } from "../memory.js"
import { memoryName, ownLabels, type ClusterPlace } from "./memory-place.js"

/** https://kubernetes.io/docs/concepts/architecture/leases/ */
interface Lease extends KubeObject {
  readonly spec: {
    readonly holderIdentity?: string
    readonly leaseDurationSeconds?: number
    /** RFC 3339 with microseconds. */
    readonly acquireTime?: string
    readonly renewTime?: string
  }
}

/** As on the other targets: long enough for a process that is busy, short enough for one whose host is gone. Seconds. */
const duration = 60
const pollMs = 500

const what = "gantry.dev/what"
const who = "gantry.dev/process"

/** Locks as Leases. A holder that does not renew its lease in time has lost it, wherever it ran. */
export function leaseLocks(place: ClusterPlace): Locks {
  const { cluster, namespace, service } = place
  const refOf = (name: LockName) => ({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    namespace,
    name: `${memoryName(service)}-${name}`,
  })
  const now = () => new Date().toISOString().replace("Z", "000Z")

  /** @param token of this very hold: the same process may want the same lock twice at a time */
  const take = async (name: LockName, doing: string, token: string, seen: Seen): Promise<Lease | LockHolder> => {
    const ref = refOf(name)
    const mark = await thisProcess()
    const holderIdentity = `${mark.pid}@${mark.host}/${token}`
    const found = await cluster.read<Lease>(ref)
    // It was taken, and the answer was lost.
    if (found?.spec.holderIdentity === holderIdentity) return found
    if (found !== undefined && found.spec.holderIdentity !== undefined && found.spec.holderIdentity !== "") {
      const holder = await holderOf(found, seen)
      if (holder.alive) return holder
    }
    const spec = {
      holderIdentity,
      leaseDurationSeconds: duration,
      acquireTime: now(),
      renewTime: now(),
    }
    const annotations = { [what]: doing, [who]: JSON.stringify(mark) }
    const metadata = { ...found?.metadata, name: ref.name, namespace, labels: ownLabels(place, "memory"), annotations }
    const object = { apiVersion: ref.apiVersion, kind: ref.kind, metadata, spec }
    const taken = found === undefined ? await cluster.create<Lease>(object) : await cluster.replace<Lease>(object)
    return taken ?? take(name, doing, token, seen)
  }

  /** Renewed until it is let go. One that somebody broke is not taken back: the next look at the target tells. */
  const renewing = (name: LockName, lease: Lease) => {
    const mine = lease.spec.holderIdentity
    const renew = async (): Promise<void> => {
      const found = await cluster.read<Lease>(refOf(name))
      if (found === undefined || found.spec.holderIdentity !== mine) return
      await cluster.replace({ ...found, spec: { ...found.spec, renewTime: now() } })
    }
    const timer = setInterval(() => void renew().catch(() => undefined), (duration * 1000) / 4)
    timer.unref()
    return async () => {
      clearInterval(timer)
      const found = await cluster.read<Lease>(refOf(name)).catch(() => undefined)
      if (found?.spec.holderIdentity !== mine) return
      await cluster.remove(refOf(name), { uid: found?.metadata.uid }).catch(() => undefined)
    }
  }

  return {
    async hold<T>(name: LockName, doing: string, work: () => Promise<T>, { signal, onWait }: HoldOptions): Promise<T> {
      const seen: Seen = new Map()
      const token = randomBytes(6).toString("hex")
      let told = false
      for (;;) {
        const taken = await take(name, doing, token, seen)
        if ("spec" in taken) {
          const letGo = renewing(name, taken)
          try {
            return await work()
          } finally {
            await letGo()
          }
        }
        if (!told) onWait?.(taken)
        told = true
        await sleep(pollMs, undefined, { signal }).catch(() => {
          throw interrupted(doing)
        })
      }
    },
    async holder(name) {
      const found = await cluster.read<Lease>(refOf(name))
      return found?.spec.holderIdentity === undefined ? undefined : holderOf(found, new Map())
    },
    break: (name) => cluster.remove(refOf(name)),
    hint: (name) =>
      `Wait for it, or stop that process; a lease that is not renewed for ${duration} s is nobody's. By force: gantry unlock ${place.environment} --service ${service} --force (Lease ${refOf(name).name} in ${namespace}).`,
  }
}

/**
 * When a renewal was first seen, by this process's own clock: another host's clock may be wrong, and only what does not
 * change for the whole duration has expired (client-go's leader election does the same).
 */
type Seen = Map<string, number>

async function holderOf(lease: Lease, seen: Seen): Promise<LockHolder> {
  const { spec, metadata } = lease
  const renewed = spec.renewTime ?? spec.acquireTime ?? ""
  const first = seen.get(renewed) ?? performance.now()
  seen.set(renewed, first)
  const seconds = spec.leaseDurationSeconds ?? duration
  const mark = markOf(metadata.annotations?.[who])
  const gone = mark !== undefined && mark.host === hostname() && !(await isAlive(mark))
  // Seen once only: by the clocks, with a minute of grace for those that differ.
  const stale = Date.now() - Date.parse(renewed) > (seconds + 60) * 1000
  const still = performance.now() - first > seconds * 1000
  return {
    by: mark === undefined ? (spec.holderIdentity ?? "somebody") : `process ${mark.pid} on ${mark.host}`,
    what: metadata.annotations?.[what] ?? "unknown work",
    since: spec.acquireTime ?? "",
    alive: !gone && !stale && !still,
    expires: new Date(Date.parse(renewed) + seconds * 1000).toISOString(),
  }
}

function markOf(text: string | undefined): ProcessMark | undefined {
  try {
    const mark = JSON.parse(text ?? "") as Partial<ProcessMark>
    return typeof mark.pid === "number" && typeof mark.host === "string" ? (mark as ProcessMark) : undefined
  } catch {
    return undefined
  }
}

function interrupted(doing: string) {
  return fault({
    code: "LOCK-INTERRUPTED",
    kind: "cancelled",
    message: `Interrupted: ${doing}`,
    hint: "Run the same command again: what was finished is kept.",
  })
}
