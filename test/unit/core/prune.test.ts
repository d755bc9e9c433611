import { readdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { fault } from "../../../core/errors.js"
import { takeLock } from "../../../core/lock.js"
import { pipeline } from "../../../core/pipeline.js"
import { pruneRuns } from "../../../core/prune.js"
import { step } from "../../../core/step.js"
import { listRuns } from "../../../core/store.js"
import { runPipeline, temporaryProject } from "./rig.js"

/** Runs of one project, each with an artifact of its own (10 bytes) and one that all share. */
async function project(count: number, outcome?: "waiting") {
  const dir = await temporaryProject()
  const ids: string[] = []
  let store
  for (let n = 0; n < count; n++) {
    const s = step("a", {
      engine: false,
      cache: false,
      async run({ artifacts }) {
        await artifacts.put("own", { text: `content ${n}.` })
        await artifacts.put("shared", { text: "shared" })
        if (outcome !== undefined) throw fault({ code: "G", kind: outcome, message: "m" })
      },
    })
    const run = await runPipeline(pipeline("p", { targets: [s] }), { project: dir })
    ids.push(run.record.id)
    store = run.store
  }
  if (store === undefined) throw new Error("no run")
  // Ids of one second sort by their tails.
  return { store, ids: [...ids].sort().reverse(), objects: () => readdir(join(dir, ".gantry", "objects")) }
}

describe("pruneRuns", () => {
  it("keeps the newest and removes the rest, with the bytes that only they had", async () => {
    const { store, ids, objects } = await project(4)
    expect(await objects()).toHaveLength(5)
    expect(await pruneRuns(store, 2)).toEqual({ removed: 2, bytes: 20 })
    expect(await listRuns(store)).toEqual(ids.slice(0, 2))
    expect(await objects()).toHaveLength(3)
    expect(await pruneRuns(store, 2)).toEqual({ removed: 0, bytes: 0 })
  })

  it("removes what a killed process left half-stored", async () => {
    const { store, objects } = await project(1)
    await writeFile(join(store.root, "objects", ".tmp-1-x"), "half")
    expect(await pruneRuns(store, 1)).toEqual({ removed: 0, bytes: 4 })
    expect(await objects()).toHaveLength(2)
  })

  it("leaves runs alone that wait for a person or cannot be read", async () => {
    const { store } = await project(2, "waiting")
    expect((await pruneRuns(store, 0)).removed).toBe(0)
    const { store: other, ids } = await project(1)
    await writeFile(join(other.runDir(ids[0] ?? ""), "events.ndjson"), "rubbish\n")
    expect((await pruneRuns(other, 0)).removed).toBe(0)
  })

  it("leaves a run alone on which a process works, and all bytes while it does", async () => {
    const { store, ids, objects } = await project(2)
    const release = await takeLock(join(store.runDir(ids[1] ?? ""), "lock"), "Run")
    expect(await pruneRuns(store, 0)).toEqual({ removed: 1, bytes: 0 })
    expect(await listRuns(store)).toEqual([ids[1]])
    await release()
    expect(await pruneRuns(store, 0)).toEqual({ removed: 1, bytes: 26 })
    expect(await objects()).toEqual([])
  })

  it("does not mind the lock of a process that is gone", async () => {
    const { store, ids } = await project(1)
    await writeFile(join(store.runDir(ids[0] ?? ""), "lock"), "")
    expect((await pruneRuns(store, 0)).removed).toBe(1)
  })
})
