import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import type { RunEvent, Stamped } from "../../../core/events.js"
import { createFold } from "../../../report/fold.js"
import { runFrame } from "../../../report/frame.js"
import { createStyle } from "../../../report/style.js"
import { terminalRenderer, type TerminalOptions } from "../../../report/terminal.js"
import { textWidth } from "../../../report/width.js"
import { inOrder, sampleEvents, sampleRecord, type Scenario } from "./sample.js"
import { openScreen } from "./screen.js"

beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }))
afterEach(() => void vi.useRealTimers())

type Screen = ReturnType<typeof openScreen>

/** Plays a run; the clock of the view is the time of the last event. A frame after each event. */
function play(screen: Screen, events: readonly Stamped<RunEvent>[], options: TerminalOptions = {}) {
  let now = 0
  const view = terminalRenderer(screen.out, { utc: true, now: () => now, ...options })
  for (const event of events) {
    now = Date.parse(event.at)
    view.event(event)
    vi.advanceTimersByTime(100)
  }
  return { view, tick: (ms: number) => ((now += ms), vi.advanceTimersByTime(100)) }
}

const until = (scenario: Scenario, step: string, type: RunEvent["type"]) => {
  const events = inOrder(sampleEvents(scenario))
  return events.slice(
    0,
    events.findIndex((e) => e.type === type && "step" in e && e.step === step),
  )
}

describe("the live view", () => {
  test("shows what runs, its last lines and what comes next, below what is finished", async () => {
    const screen = openScreen(100, 40)
    const { view } = play(screen, until("success", "catalog.unit-tests", "step-reported"))
    const lines = await screen.lines()
    view.stop()
    await expect(lines.join("\n") + "\n").toMatchFileSnapshot("golden/live.txt")
  })

  test("leaves each step once in the scrollback, the closing below, and the cursor back", async () => {
    for (const scenario of ["success", "failed", "errored", "waiting", "cancelled"] as const) {
      const screen = openScreen(120, 12)
      const { view } = play(screen, inOrder(sampleEvents(scenario)))
      view.stop()
      const lines = await screen.lines()
      const record = sampleRecord(scenario)
      for (const step of record.steps.filter((s) => s.finishedAt !== undefined)) {
        const own = lines.filter((line) =>
          new RegExp(`^[✓✗!?⊘-] ${step.id.replace(".", "\\.")} {2}(?!attempt)`).test(line),
        )
        // The gate of a resumed run is told twice: it waited, it was passed.
        expect([scenario, step.id, own.length]).toEqual([
          scenario,
          step.id,
          step.id === "gate" && scenario === "success" ? 2 : 1,
        ])
      }
      expect(lines.filter((line) => line.startsWith("  then "))).toEqual([])
      expect(lines.filter((line) => /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/.test(line))).toEqual([])
      expect(screen.cursorShown()).toBe(true)
      expect(screen.listeners()).toBe(0)
    }
  })

  test("one write a frame, none while nothing changes, ten a second at most", () => {
    const screen = openScreen(100, 30)
    let now = 0
    const view = terminalRenderer(screen.out, { now: () => now })
    const hidden = screen.writes.length
    for (const event of until("success", "catalog.unit-tests", "step-reported")) {
      now = Date.parse(event.at)
      view.event(event)
    }
    expect(screen.writes.length).toBe(hidden)
    vi.advanceTimersByTime(99)
    expect(screen.writes.length).toBe(hidden)
    vi.advanceTimersByTime(1)
    expect(screen.writes.length).toBe(hidden + 1)
    vi.advanceTimersByTime(5000)
    expect(screen.writes.length).toBe(hidden + 1)
    now += 100
    vi.advanceTimersByTime(100)
    expect(screen.writes.length).toBe(hidden + 2)
    view.stop()
  })

  test("a terminal that is slow to take frames gets fewer, and loses nothing", async () => {
    const screen = openScreen(100, 30)
    screen.size.slow = true
    const { view } = play(screen, inOrder(sampleEvents("success")))
    expect(screen.writes).toHaveLength(1)
    view.stop()
    expect((await screen.lines()).filter((line) => line.startsWith("✓ catalog."))).toHaveLength(11)
  })

  test("becoming narrower or wider leaves no torn lines behind", async () => {
    const screen = openScreen(110, 30)
    const { view, tick } = play(screen, until("success", "catalog.unit-tests", "step-reported"))
    for (const [columns, rows] of [
      [60, 30],
      [40, 30],
      [90, 20],
      [110, 30],
    ] as const) {
      await screen.resize(columns, rows)
      tick(100)
      const lines = await screen.lines()
      expect([columns, lines.filter((line) => line.startsWith("delivery · 6 of 26")).length]).toEqual([columns, 1])
      expect([columns, lines.filter((line) => line.startsWith("  then ")).length]).toEqual([columns, 1])
      expect(lines.filter((line) => /^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] catalog/.test(line))).toHaveLength(3)
    }
    view.stop()
    expect((await screen.lines()).filter((line) => line.includes("then catalog"))).toEqual([])
  })

  test.each([
    [10, 4],
    [20, 6],
    [40, 10],
    [80, 24],
    [200, 60],
  ])("fits into %d by %d", (columns, rows) => {
    const fold = createFold()
    const style = createStyle({ color: true })
    for (const event of inOrder(sampleEvents("failed", { hostile: true }))) {
      fold.apply(event)
      const lines = runFrame(fold, style, { columns, rows }, Date.parse(event.at) + 1500, new Map())
      expect(lines.length).toBeLessThan(rows)
      for (const line of lines) expect(textWidth(line)).toBeLessThan(columns)
    }
  })

  test("suspended it leaves the screen to others; what happens meanwhile is told at once", async () => {
    const screen = openScreen(100, 30)
    const { view } = play(screen, until("success", "catalog.unit-tests", "step-reported"))
    view.suspend()
    expect(screen.cursorShown()).toBe(true)
    expect((await screen.lines()).filter((line) => line.startsWith("  then "))).toEqual([])
    screen.out.write("approve? ")
    view.print("noted")
    vi.advanceTimersByTime(1000)
    expect((await screen.lines()).at(-1)).toBe("approve? noted")
    view.resume()
    vi.advanceTimersByTime(100)
    expect((await screen.lines()).filter((line) => line.startsWith("  then "))).toHaveLength(1)
    view.stop()
    view.stop()
    view.resume()
    expect(screen.cursorShown()).toBe(true)
  })

  test("provisioning during a run stands above the steps, and stays when it is done", async () => {
    const screen = openScreen(110, 30)
    const { view } = play(screen, until("success", "catalog.unit-tests", "step-reported"))
    const task = view.progress.task("Trivy (漏洞扫描)", { expectedSeconds: 240 })
    task.update("downloading", 0.5)
    vi.advanceTimersByTime(100)
    expect(
      (await screen.lines()).filter((line) => /Trivy \(漏洞扫描\).*50 %, 0 s of about 4 min {2}downloading/.test(line)),
    ).toHaveLength(1)
    task.done("0.74.0")
    vi.advanceTimersByTime(100)
    view.stop()
    expect((await screen.lines()).filter((line) => line.includes("Trivy"))).toEqual([
      "✓ Trivy (漏洞扫描)  0 ms  0.74.0",
    ])
  })

  test("a retried step says when it is tried again", async () => {
    const screen = openScreen(110, 30)
    const events = inOrder(sampleEvents("errored"))
    const retried = events.findIndex((e) => e.type === "step-retried")
    const { view, tick } = play(screen, events.slice(0, retried + 1))
    expect(
      (await screen.lines()).filter((line) => line.includes("order.push  3 s  errored, next attempt in")),
    ).toHaveLength(1)
    const again = events.findIndex((e) => e.type === "step-started" && e.attempt === 2)
    for (const event of events.slice(retried + 1, again + 1)) view.event(event)
    tick(1200)
    expect((await screen.lines()).filter((line) => /order\.push .*attempt 2/.test(line))).toHaveLength(1)
    view.stop()
  })

  test("the closing repeats an error only when it has left the screen", async () => {
    const told = async (rows: number) => {
      const screen = openScreen(120, rows)
      const { view } = play(screen, inOrder(sampleEvents("failed")))
      view.stop()
      return (await screen.lines()).filter((line) => line.includes("TESTS-RED:")).length
    }
    expect([await told(20), await told(200)]).toEqual([2, 1])
  })

  test("a resumed run shows what the earlier process did", async () => {
    const screen = openScreen(120, 30)
    const events = inOrder(sampleEvents("success"))
    const resumed = events.findIndex((e) => e.type === "run-resumed")
    const { view } = play(screen, events.slice(resumed), { record: sampleRecord("waiting") })
    view.stop()
    const lines = await screen.lines()
    expect(lines[0]).toBe("delivery · run 20261123-080512-7f3a goes on")
    expect(lines.filter((line) => line.startsWith("✓ catalog.unit-tests"))).toHaveLength(1)
    expect(lines.filter((line) => line.startsWith("✓  catalog.unit-tests"))).toHaveLength(1)
  })
})
