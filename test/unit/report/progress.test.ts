import { Writable } from "node:stream"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { fault } from "../../../core/errors.js"
import { plainProgress, terminalProgress } from "../../../report/progress.js"
import { openScreen } from "./screen.js"

const begin = Date.parse("2026-11-23T08:05:12Z")
beforeEach(() => void vi.useFakeTimers({ now: begin, toFake: ["setInterval", "clearInterval", "Date"] }))
afterEach(() => void vi.useRealTimers())

const noDocker = fault({
  code: "SUPPLY-NO-DOCKER",
  kind: "errored",
  message: "No Docker Engine answers",
  reason: "connect ENOENT /var/run/docker.sock",
  hint: "`gantry doctor`",
})

describe("plain progress", () => {
  const collect = () => {
    const lines: string[] = []
    const out = new Writable({
      decodeStrings: false,
      write(chunk: string, _encoding, done) {
        lines.push(...chunk.trimEnd().split("\n"))
        done()
      },
    })
    return { lines, progress: plainProgress(out, { utc: true }) }
  }

  test("speaks at the start, every ten seconds at most, and at the end", () => {
    const { lines, progress } = collect()
    const task = progress.task("SonarQube 26.9", { expectedSeconds: 90 })
    for (let second = 1; second <= 25; second++) {
      vi.advanceTimersByTime(1000)
      task.update(`downloaded ${second * 20} MB`, second / 50)
      task.update(`downloaded ${second * 20} MB`, second / 50)
    }
    task.done("healthy")
    expect(lines).toEqual([
      "08:05:12  SonarQube 26.9 · started, takes about 1 min 30 s",
      "08:05:22  SonarQube 26.9: 18 %, 10 s of about 1 min 30 s, downloaded 180 MB",
      "08:05:32  SonarQube 26.9: 38 %, 20 s of about 1 min 30 s, downloaded 380 MB",
      "08:05:37  ✓ SonarQube 26.9  25 s  healthy",
    ])
  })

  test("a silent task is seen to be alive, and the clock stops with the last one", () => {
    const { lines, progress } = collect()
    const task = progress.task("engine")
    vi.advanceTimersByTime(30_500)
    task.done()
    vi.advanceTimersByTime(60_000)
    expect(lines).toEqual([
      "08:05:12  engine · started",
      "08:05:22  engine: 10 s",
      "08:05:32  engine: 20 s",
      "08:05:42  engine: 30 s",
      "08:05:42  ✓ engine  31 s",
    ])
    expect(vi.getTimerCount()).toBe(0)
  })

  test("a failure tells why, the end of the tool's output and what to do; once", () => {
    const { lines, progress } = collect()
    const task = progress.task("Docker Engine")
    for (let i = 0; i < 30; i++) task.log(`line ${i}\u001b[2J`)
    task.fail(noDocker)
    task.done("late")
    expect(lines.slice(1, 4)).toEqual([
      "08:05:12  ✗ Docker Engine errored after 0 ms".replace("✗", "!"),
      "            SUPPLY-NO-DOCKER: No Docker Engine answers",
      "              why    connect ENOENT /var/run/docker.sock",
    ])
    expect(lines.filter((line) => /│ line \d+$/.test(line))).toHaveLength(12)
    expect(lines.at(-1)).toBe("              now    `gantry doctor`")
  })
})

describe("progress on a terminal", () => {
  test("draws tasks side by side, keeps the finished ones, restores the cursor", async () => {
    const screen = openScreen(110, 20)
    const progress = terminalProgress(screen.out, {})
    expect(screen.writes).toEqual([])
    const sonar = progress.task("SonarQube", { expectedSeconds: 90 })
    const engine = progress.task("Dagger engine (引擎)", { expectedSeconds: 210 })
    sonar.update("downloading", 0.25)
    engine.log("compiling core")
    vi.advanceTimersByTime(9000)
    expect(await screen.lines()).toEqual([
      "⠋ SonarQube             ━━━━━───────────────  25 %, 9 s of about 1 min 30 s  downloading",
      "⠋ Dagger engine (引擎)  ━───────────────────  9 s of about 3 min 30 s",
      "  │ compiling core",
    ])
    sonar.done("26.9, healthy")
    engine.fail(noDocker)
    progress.stop()
    expect(await screen.lines()).toEqual([
      "✓ SonarQube  9.0 s  26.9, healthy",
      "! Dagger engine (引擎) errored after 9.0 s",
      "  SUPPLY-NO-DOCKER: No Docker Engine answers",
      "    why    connect ENOENT /var/run/docker.sock",
      "    log    │ compiling core",
      "    now    `gantry doctor`",
    ])
    expect(screen.cursorShown()).toBe(true)
  })

  test("a guess from the clock never says that it is done", async () => {
    const screen = openScreen(110, 20)
    const progress = terminalProgress(screen.out, {})
    progress.task("slow", { expectedSeconds: 10 })
    vi.advanceTimersByTime(100_000)
    expect(await screen.lines()).toEqual(["⠋ slow  ━━━━━━━━━━━━━━━━━━━─  1 min 40 s of about 10 s"])
    progress.stop()
  })

  test("more tasks than rows", async () => {
    const screen = openScreen(60, 6)
    const progress = terminalProgress(screen.out, {})
    for (let i = 0; i < 20; i++) progress.task(`task ${i}`)
    vi.advanceTimersByTime(100)
    const lines = await screen.lines()
    expect(lines.length).toBeLessThan(6)
    expect(lines.at(-1)).toMatch(/and \d+ more/)
    progress.stop()
  })
})
