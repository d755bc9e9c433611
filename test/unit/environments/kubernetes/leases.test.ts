import { describe, expect, it } from "vitest"
import type { KubeObject } from "../../../../clients/kubernetes/index.js"
import { leaseLocks } from "../../../../environments/kubernetes/leases.js"
import type { MemoryCluster } from "../../../../environments/kubernetes/memory-place.js"

/** Keeps one lease. @param lost whether the answer to this write, the first is 1, is lost: sent again, it is too late */
function cluster(lost: (write: number) => boolean, kept?: KubeObject) {
  let writes = 0
  const write = (object: KubeObject) => {
    self.kept = { ...object, metadata: { ...object.metadata, uid: "u", resourceVersion: String(++writes) } }
    return Promise.resolve((lost(writes) ? undefined : self.kept) as never)
  }
  const self: MemoryCluster & { kept: KubeObject | undefined } = {
    kept,
    read: () => Promise.resolve(self.kept as never),
    create: (object: KubeObject) => (self.kept === undefined ? write(object) : Promise.resolve(undefined)),
    replace: write,
    remove: () => {
      self.kept = undefined
      return Promise.resolve()
    },
  }
  return self
}

const hold = (of: MemoryCluster, work: () => Promise<string>, waited: string[] = []) =>
  leaseLocks({ cluster: of, namespace: "n", project: "shop", environment: "test", service: "web" }).hold(
    "deploy",
    "deploy web to test",
    work,
    { signal: AbortSignal.abort(new Error("it waits")), onWait: ({ what }) => void waited.push(what) },
  )

const expired = new Date(Date.now() - 3_600_000).toISOString()
const left: KubeObject = {
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name: "gantry-web-deploy", namespace: "n", resourceVersion: "0" },
  spec: { holderIdentity: "7@elsewhere/aa", leaseDurationSeconds: 60, acquireTime: expired, renewTime: expired },
}

describe("a lease", () => {
  it.each([
    ["made", undefined],
    ["taken over", left],
  ])("that was %s is held though the answer was lost", async (_, kept) => {
    const of = cluster((write) => write === 1, kept)
    expect(await hold(of, () => Promise.resolve("done"))).toBe("done")
    expect(of.kept).toBeUndefined()
  })

  it("that the same process holds for something else is waited for", async () => {
    const of = cluster(() => false)
    const waited: string[] = []
    const inner = () => hold(of, () => Promise.resolve("inner"), waited)
    await expect(hold(of, inner)).rejects.toMatchObject({ code: "LOCK-INTERRUPTED" })
    expect(waited).toEqual(["deploy web to test"])
  })
})
