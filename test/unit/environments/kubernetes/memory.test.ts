import { randomBytes } from "node:crypto"
import { describe, expect, it } from "vitest"
import type { KubeObject } from "../../../../clients/kubernetes/index.js"
import { readHistory, recordRelease } from "../../../../environments/history.js"
import { clusterMemory } from "../../../../environments/kubernetes/memory.js"
import type { MemoryCluster } from "../../../../environments/kubernetes/memory-place.js"
import { releaseSpec } from "../../../../environments/release.js"

/** A ConfigMap as the API server keeps it: at most 1 MiB, replaced only as of the version that was read. */
function cluster(): MemoryCluster & { kept: KubeObject | undefined; rivals: number } {
  let version = 0
  const self = {
    kept: undefined as KubeObject | undefined,
    /** So many writes of somebody else come in between. */
    rivals: 0,
    read: () => Promise.resolve(self.kept as never),
    create: (object: KubeObject) => {
      if (self.kept !== undefined) return Promise.resolve(undefined)
      return self.replace(object)
    },
    replace: (object: KubeObject) => {
      if (self.rivals-- > 0)
        self.kept = stamped({ ...self.kept!, data: { ...(self.kept!["data"] as object), rival: "1" } })
      const { resourceVersion } = object.metadata
      if (resourceVersion !== undefined && resourceVersion !== self.kept?.metadata.resourceVersion)
        return Promise.resolve(undefined)
      const size = Object.values((object["data"] ?? {}) as Record<string, string>).join("").length
      if (size > 2 ** 20) throw new Error("Too long: may not be more than 1048576 bytes")
      self.kept = stamped(object)
      return Promise.resolve(self.kept as never)
    },
    remove: () => Promise.resolve(),
  }
  const stamped = (o: KubeObject) => ({ ...o, metadata: { ...o.metadata, resourceVersion: String(++version) } })
  return self
}
const notesOf = (of: MemoryCluster) =>
  clusterMemory({ cluster: of, namespace: "n", project: "p", environment: "test", service: "web" }).notes

const release = (digest: string, config: string) =>
  releaseSpec({
    service: "web",
    reference: `r/web@sha256:${digest}`,
    digest: `sha256:${digest}`,
    commit: "c",
    config,
    env: {},
    port: 1,
    readiness: "/",
    startupSeconds: 1,
    calls: [],
    resources: {},
  })

describe("notes in a ConfigMap", () => {
  it("a small one is text that a person reads; one that is taken away is gone", async () => {
    const of = cluster()
    await notesOf(of).write("kept", { key: "k" })
    await notesOf(of).write("other", 1)
    expect(of.kept).toMatchObject({ data: { kept: '{"key":"k"}', other: "1" }, binaryData: {} })
    await notesOf(of).write("kept", undefined)
    expect(await notesOf(of).read("kept")).toBeUndefined()
    expect(await notesOf(of).read("other")).toBe(1)
  })

  it("somebody else's note that was written in between stays", async () => {
    const of = cluster()
    await notesOf(of).write("a", 1)
    of.rivals = 2
    await notesOf(of).write("b", 2)
    expect(of.kept).toMatchObject({ data: { a: "1", b: "2", rival: "1" } })
  })

  it("twenty releases with large configurations that are nearly alike fit, and come back whole", async () => {
    const of = cluster()
    const base = randomBytes(90_000).toString("hex")
    for (let i = 0; i < 22; i++) {
      await recordRelease(notesOf(of), {
        release: release(String(i), `n: ${i}\nall: ${base}\n`),
        replicas: 1,
        at: "now",
      })
    }
    const history = await readHistory(notesOf(of))
    expect(history).toHaveLength(20)
    expect(history[0]?.release.config).toBe(`n: 21\nall: ${base}\n`)
    expect(of.kept).toMatchObject({ data: {}, binaryData: { "history.br": expect.any(String) as string } })
  })

  it("where there is no room, the oldest releases go first; what runs is written down", async () => {
    const of = cluster()
    const large = () => `all: ${randomBytes(180_000).toString("base64")}\n`
    for (let i = 0; i < 8; i++) {
      await recordRelease(notesOf(of), { release: release(String(i), large()), replicas: 1, at: "now" })
    }
    const history = await readHistory(notesOf(of))
    expect(history[0]?.generation).toBe(8)
    expect(history.length).toBeGreaterThanOrEqual(2)
    expect(history.length).toBeLessThan(8)
  })

  it("one that can never fit is refused, and the others stay", async () => {
    const of = cluster()
    await notesOf(of).write("a", 1)
    const text = randomBytes(2 ** 20 + 1).toString("base64")
    await expect(notesOf(of).write("b", text)).rejects.toMatchObject({ code: "NOTES-FULL", kind: "errored" })
    expect(await notesOf(of).read("a")).toBe(1)
  })
})
