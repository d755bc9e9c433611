import { appendFile, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import type { RunEvent, Stamped } from "../../../core/events.js"
import { openJournal, readJournal } from "../../../core/journal.js"
import { temporaryProject, thrown } from "./rig.js"

const event = (attempt: number): Stamped<RunEvent> => ({ type: "step-started", step: "a", attempt, at: "2026-01-01" })
const path = async () => join(await temporaryProject(), "events.ndjson")
const attempts = async (file: string) => (await readJournal(file)).map((e) => (e as { attempt: number }).attempt)

describe("journal", () => {
  it("keeps events in order, one a line, and goes on where it stopped", async () => {
    const file = await path()
    for (const [from, to] of [
      [0, 500],
      [500, 503],
    ] as const) {
      const journal = await openJournal(file)
      for (let i = from; i < to; i++) journal.append(event(i))
      await journal.close()
    }
    expect(await attempts(file)).toEqual(Array.from({ length: 503 }, (_, i) => i))
    expect((await readFile(file, "utf8")).split("\n")).toHaveLength(504)
  })

  it("has everything on the disk that came before a flush, also while more comes", async () => {
    const file = await path()
    const journal = await openJournal(file)
    for (let round = 0; round < 10; round++) {
      journal.append(event(round))
      const flushed = journal.flush()
      journal.append(event(1000 + round))
      await flushed
      expect(await attempts(file)).toContain(round)
    }
    await journal.close()
    expect(await attempts(file)).toHaveLength(20)
  })

  it("does not let a flush wait for what comes after it", async () => {
    const journal = await openJournal(await path())
    let more = true
    const feed = () => {
      if (!more) return
      journal.append(event(0))
      setImmediate(feed)
    }
    feed()
    await journal.flush()
    await journal.flush()
    more = false
    await journal.close()
  })

  it.each([
    '{"type":"step-fin',
    "{",
    '{"type":"step-started","step":"a","attempt":9,"at":"x"}',
    "x".repeat(200_000),
    Buffer.from("ü").subarray(0, 1),
  ])("takes a torn last line for not written: %#", async (torn) => {
    const file = await path()
    const journal = await openJournal(file)
    journal.append(event(1))
    await journal.close()
    await appendFile(file, torn)
    expect(await attempts(file)).toEqual([1])
    const next = await openJournal(file)
    next.append(event(2))
    await next.close()
    expect(await attempts(file)).toEqual([1, 2])
  })

  it("survives a file that holds nothing but a torn line", async () => {
    const file = await path()
    await writeFile(file, '{"type":"run-st')
    expect(await readJournal(file)).toEqual([])
    const journal = await openJournal(file)
    journal.append(event(1))
    await journal.close()
    expect(await attempts(file)).toEqual([1])
  })

  it("fails on a line that is broken in the middle: that is no accident of a crash", async () => {
    const file = await path()
    await writeFile(file, `${JSON.stringify(event(1))}\nrubbish\n${JSON.stringify(event(2))}\n`)
    expect(await thrown(() => readJournal(file))).toBeInstanceOf(SyntaxError)
  })

  it("says once what broke it and writes nothing from then on", async () => {
    // /dev/full answers every write with ENOSPC, as a full disk does.
    const troubles: unknown[] = []
    const journal = await openJournal("/dev/full", (trouble) => troubles.push(trouble))
    journal.append(event(1))
    expect(await thrown(() => journal.flush())).toMatchObject({ code: "DISK-FULL", kind: "errored" })
    journal.append(event(2))
    expect(await thrown(() => journal.flush())).toMatchObject({ code: "DISK-FULL" })
    expect(journal.trouble()).toBe(troubles[0])
    expect(troubles).toHaveLength(1)
    expect(await thrown(() => journal.close())).toMatchObject({ code: "DISK-FULL" })
  })

  it("says so when it cannot be opened", async () => {
    expect(await thrown(async () => openJournal(join(await temporaryProject(), "no", "events")))).toMatchObject({
      code: "ENOENT",
    })
  })
})
