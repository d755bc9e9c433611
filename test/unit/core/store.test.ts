import { mkdir, readdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import {
  existingRun,
  exists,
  findRun,
  listRuns,
  makeRun,
  newRunId,
  openStore,
  readLog,
  readRun,
  readState,
  tidyRun,
} from "../../../core/store.js"
import { temporaryProject, thrown } from "./rig.js"

const started = (run: string) =>
  JSON.stringify({
    type: "run-started",
    run,
    pipeline: "p",
    services: [],
    commit: "c",
    dirty: false,
    selection: {},
    facts: {},
    steps: [{ id: "a", kind: "pure", needs: [] }],
    at: "2026-01-01T00:00:00.000Z",
  }) + "\n"

async function storeWith(...runs: readonly string[]) {
  const store = openStore(await temporaryProject())
  for (const run of runs) {
    await mkdir(store.runDir(run), { recursive: true })
    await writeFile(join(store.runDir(run), "events.ndjson"), started(run))
  }
  return store
}

describe("ids and folders", () => {
  it("ids sort by time and have a tail", () => {
    expect(newRunId(new Date("2026-03-04T05:06:07.890Z"))).toMatch(/^20260304-050607-37a[0-9a-f]$/)
    const times = [0, 1, 2, 15, 16, 255, 256, 999, 1000].map((ms) =>
      newRunId(new Date(Date.UTC(2026, 2, 4, 5, 6, 7, ms))),
    )
    expect([...times].sort()).toEqual(times)
  })

  it("makeRun makes a folder of its own, also when ids collide within a second", async () => {
    const store = openStore(await temporaryProject())
    const runs = await Promise.all(Array.from({ length: 400 }, () => makeRun(store)))
    expect(new Set(runs.map((r) => r.id)).size).toBe(400)
    expect(await readdir(runs[0]?.dir ?? "")).toEqual(["artifacts", "steps"])
  })

  it("existingRun knows runs and nothing else", async () => {
    const store = await storeWith("20260101-000000-aaaa")
    expect(await existingRun(store, "20260101-000000-aaaa")).toBe(store.runDir("20260101-000000-aaaa"))
    for (const id of ["20260101-000000-bbbb", "../../etc", ""]) {
      expect(await thrown(() => existingRun(store, id))).toMatchObject({ code: "RUN-UNKNOWN", kind: "usage" })
    }
    expect(await exists(store.runDir("20260101-000000-bbbb"))).toBe(false)
  })

  it("tidyRun removes the scratch folders that a killed process left, and nothing else", async () => {
    const store = await storeWith("r")
    await mkdir(join(store.runDir("r"), ".scratch-a-x", "deep"), { recursive: true })
    await tidyRun(store.runDir("r"))
    expect(await readdir(store.runDir("r"))).toEqual(["events.ndjson"])
  })
})

describe("finding runs", () => {
  const ids = ["20260101-000000-aaaa", "20260102-000000-bbbb", "20260102-000001-cccc"] as const

  it("lists them newest first, without folders in which nothing was recorded", async () => {
    const store = await storeWith(...ids)
    await mkdir(store.runDir("20260109-000000-dead"))
    await mkdir(store.runDir("20260109-000000-torn"))
    await writeFile(join(store.runDir("20260109-000000-torn"), "events.ndjson"), "")
    expect(await listRuns(store)).toEqual([...ids].reverse())
    expect(await listRuns(openStore(await temporaryProject()))).toEqual([])
  })

  it.each([
    ["last", ids[2]],
    [ids[0], ids[0]],
    ["20260101", ids[0]],
    ["bbbb", ids[1]],
  ])("%s is %s", async (wanted, found) => {
    expect(await findRun(await storeWith(...ids), wanted)).toBe(found)
  })

  it.each([
    ["20260102", "RUN-AMBIGUOUS"],
    ["ffff", "RUN-UNKNOWN"],
  ])("%s: %s", async (wanted, code) => {
    const store = await storeWith(...ids)
    expect(await thrown(() => findRun(store, wanted))).toMatchObject({ code, kind: "usage" })
  })

  it("there is no last run where there is none", async () => {
    const store = openStore(await temporaryProject())
    expect(await thrown(() => findRun(store, "last"))).toMatchObject({ code: "RUN-UNKNOWN" })
  })
})

describe("reading runs", () => {
  it("makes the record of the journal, without run.json", async () => {
    const store = await storeWith("r")
    expect((await readRun(store, "r")).steps.map((s) => s.status)).toEqual(["pending"])
    expect((await readState(store, "r")).index.get("a")?.status).toBe("pending")
  })

  it.each([
    ["is empty", ""],
    ["does not begin with its beginning", '{"type":"run-resumed","at":"x"}\n'],
    ["has rubbish in the middle", `${started("r")}rubbish\n{"type":"run-resumed","at":"x"}\n`],
    ["has a status that does not exist", `${started("r")}{"type":"run-finished","status":"great","at":"x"}\n`],
  ])("says that it is broken when it %s", async (_, text) => {
    const store = await storeWith("r")
    await writeFile(join(store.runDir("r"), "events.ndjson"), text)
    expect(await thrown(() => readRun(store, "r"))).toMatchObject({ code: "RUN-BROKEN", kind: "errored" })
  })

  it("has the log of a step as far as there is one", async () => {
    const store = await storeWith("r")
    await mkdir(join(store.runDir("r"), "steps", "a"), { recursive: true })
    await writeFile(join(store.runDir("r"), "steps", "a", "log.txt"), "line\n")
    expect(await readLog(store, "r", "a")).toBe("line\n")
    expect(await readLog(store, "r", "b")).toBeUndefined()
  })
})
