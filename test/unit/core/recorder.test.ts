import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it, vi } from "vitest"
import type { RunEvent, Stamped } from "../../../core/events.js"
import { readJournal } from "../../../core/journal.js"
import { RunRecord } from "../../../core/record.js"
import { emptyState } from "../../../core/fold.js"
import { openRecorder } from "../../../core/recorder.js"
import { temporaryProject, thrown } from "./rig.js"

const first: RunEvent = {
  type: "run-started",
  run: "r",
  pipeline: "p",
  services: [],
  commit: "c",
  dirty: false,
  selection: {},
  facts: {},
  steps: [{ id: "a", kind: "pure", needs: [] }],
}

async function rig(options: { secrets?: readonly string[]; listener?: (event: Stamped<RunEvent>) => void } = {}) {
  const dir = await temporaryProject()
  const seen: Stamped<RunEvent>[] = []
  const troubles: unknown[] = []
  const recorder = await openRecorder({
    dir,
    state: emptyState(),
    first,
    secrets: options.secrets ?? [],
    listener: options.listener ?? ((event) => seen.push(event)),
    onTrouble: (trouble) => troubles.push(trouble),
  })
  return {
    dir,
    recorder,
    seen,
    troubles,
    json: async (path: string) => JSON.parse(await readFile(join(dir, path), "utf8")) as unknown,
  }
}

describe("recorder", () => {
  it("leaves a journal, run.json, results and logs that agree", async () => {
    const { dir, recorder, seen, json } = await rig()
    recorder.emit({ type: "step-started", step: "a", attempt: 1 })
    const log = recorder.log("a")
    log.write("one\ntwo")
    log.line("three")
    log.end()
    recorder.emit({ type: "step-finished", step: "a", status: "success", cached: false, output: { n: 1 } })
    recorder.emit({ type: "run-finished", status: "success" })
    await recorder.close()

    const journal = await readJournal(join(dir, "events.ndjson"))
    expect(journal.map((e) => e.type)).toEqual(["run-started", "step-started", "step-finished", "run-finished"])
    expect(seen.filter((e) => e.type !== "step-logged")).toEqual(journal)
    expect(seen.flatMap((e) => (e.type === "step-logged" ? [e.line] : []))).toEqual(["one", "two", "three"])
    expect(RunRecord.parse(await json("run.json"))).toEqual(recorder.record)
    expect(await json("steps/a/result.json")).toEqual(recorder.record.steps[0])
    expect(await readFile(join(dir, "steps/a/log.txt"), "utf8")).toBe("one\ntwo\nthree\n")
  })

  it("has on the disk what was noted durably", async () => {
    const { dir, recorder } = await rig()
    await recorder.emitDurably({ type: "effect-started", step: "a", key: "k" })
    expect((await readJournal(join(dir, "events.ndjson"))).at(-1)).toMatchObject({ type: "effect-started", key: "k" })
    expect(recorder.step("a")?.effect).toBe("k")
    await recorder.close()
  })

  it("masks everything, and values that become known on the way from then on", async () => {
    const { dir, recorder, seen } = await rig({ secrets: ["hunter2-long"] })
    const log = recorder.log("a")
    log.write("hunter2")
    recorder.mask("token-of-today")
    log.write("-long token-of-")
    log.write("today\n")
    recorder.emit({ type: "effect-started", step: "a", key: "token-of-today" })
    recorder.emit({
      type: "step-finished",
      step: "a",
      status: "failed",
      cached: false,
      error: { code: "A-B", kind: "failed", message: `no ${Buffer.from("hunter2-long").toString("base64")}` },
    })
    expect(recorder.maskText("hunter2-long")).toBe("***")
    await recorder.close()
    const all = JSON.stringify([seen, recorder.record])
    const files = ["events.ndjson", "run.json", "steps/a/result.json", "steps/a/log.txt"]
    for (const text of [all, ...(await Promise.all(files.map((f) => readFile(join(dir, f), "utf8"))))]) {
      expect(text).not.toMatch(/hunter2|token-of|aHVudGVyMi1sb25n/)
      expect(text).toContain("***")
    }
  })

  it("keeps whole lines in order however much a step writes", async () => {
    const { dir, recorder } = await rig()
    const log = recorder.log("a")
    for (let i = 0; i < 5000; i++) log.write(`line ${i}\n`)
    await recorder.close()
    const lines = (await readFile(join(dir, "steps/a/log.txt"), "utf8")).trimEnd().split("\n")
    expect(lines).toEqual(Array.from({ length: 5000 }, (_, i) => `line ${i}`))
  })

  it("goes on when a listener fails, and asks it no more", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {})
    let calls = 0
    const { recorder } = await rig({
      listener: () => {
        calls++
        throw new Error("renderer bug")
      },
    })
    recorder.emit({ type: "run-finished", status: "success" })
    await recorder.close()
    expect(calls).toBe(1)
    expect(warn).toHaveBeenCalledTimes(1)
    expect(warn.mock.calls[0]?.[0]).toContain("renderer bug")
    warn.mockRestore()
  })

  it("says at the end that a file for readers could not be written, with the journal complete", async () => {
    const { dir, recorder, troubles } = await rig()
    await writeFile(join(dir, "steps"), "a file where a folder should be")
    recorder.log("a").line("x")
    recorder.emit({ type: "run-finished", status: "success" })
    expect(await thrown(() => recorder.close())).toMatchObject({
      code: expect.stringMatching(/EEXIST|ENOTDIR/) as string,
    })
    expect(troubles).toEqual([])
    expect((await readJournal(join(dir, "events.ndjson"))).at(-1)?.type).toBe("run-finished")
  })

  it("does not mind when later work fails", async () => {
    const { recorder, troubles } = await rig()
    let done = false
    recorder.later(() => {
      throw new Error("cache")
    })
    recorder.later(() => {
      done = true
    })
    await recorder.close()
    expect([done, troubles]).toEqual([true, []])
  })

  it("does not open where nothing can be written", async () => {
    const dir = join(await temporaryProject(), "run")
    await mkdir(dir)
    await writeFile(join(dir, "events.ndjson"), "")
    const { symlink, rm } = await import("node:fs/promises")
    await rm(join(dir, "events.ndjson"))
    await symlink("/dev/full", join(dir, "events.ndjson"))
    expect(
      await thrown(() => openRecorder({ dir, state: emptyState(), first, secrets: [], listener: () => {} })),
    ).toMatchObject({ code: "DISK-FULL", kind: "errored" })
  })
})
