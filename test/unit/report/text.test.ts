import { Writable } from "node:stream"
import { describe, expect, test } from "vitest"
import { toErrorRecord } from "../../../core/errors.js"
import type { Plan } from "../../../core/plan.js"
import { whatNow } from "../../../report/advice.js"
import { closingLines } from "../../../report/closing.js"
import { renderFault } from "../../../report/fault.js"
import { plainRenderer, type PlainOptions } from "../../../report/plain.js"
import { renderPlan } from "../../../report/plan.js"
import { wantsColor, wantsUnicode } from "../../../report/style.js"
import { renderRun, renderRuns } from "../../../report/summary.js"
import { textWidth } from "../../../report/width.js"
import { hostile, inOrder, sampleEvents, sampleRecord, type Scenario } from "./sample.js"

const scenarios: readonly Scenario[] = ["success", "failed", "errored", "waiting", "cancelled"]
const now = Date.parse("2026-11-24T00:00:00Z")

function plainText(events: ReturnType<typeof sampleEvents>, options: PlainOptions = {}): string {
  let text = ""
  const out = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      text += chunk
      done()
    },
  })
  const render = plainRenderer(out, { utc: true, ...options })
  for (const event of events) render(event)
  return text
}

describe("plain lines", () => {
  test.each(scenarios)("a run that ends %s", async (scenario) => {
    const text = plainText(inOrder(sampleEvents(scenario)), { html: ".gantry/runs/20261123-080512-7f3a/report.html" })
    await expect(text).toMatchFileSnapshot(`golden/plain-${scenario}.txt`)
  })

  test("each event is at least one line that begins with its time", () => {
    const events = inOrder(sampleEvents("success"))
    const stamped = plainText(events)
      .split("\n")
      .filter((line) => /^\d\d:\d\d:\d\d {2}\S/.test(line))
    expect(stamped).toHaveLength(events.length)
  })

  test("without logs: everything but the lines of the logs", () => {
    const events = inOrder(sampleEvents("success"))
    const logged = events.filter((event) => event.type === "step-logged").length
    const count = (text: string) => text.split("\n").length
    expect(logged).toBeGreaterThan(5)
    expect(count(plainText(events)) - count(plainText(events, { logs: false }))).toBe(logged)
  })

  test("a resumed run tells the whole run although it saw only the end of it", () => {
    const events = inOrder(sampleEvents("success"))
    const resumed = events.findIndex((event) => event.type === "run-resumed")
    const text = plainText(events.slice(resumed), { record: sampleRecord("waiting") })
    expect(text).toContain("run 20261123-080512-7f3a goes on: 21 of 26 steps done")
    expect(text).toMatch(/✓ {2}catalog\.unit-tests +success +10 s/)
    expect(text).toContain("catalog in PROD         http://127.0.0.1:18280")
  })

  test("says nothing that it was not told when it joins late without a record", () => {
    const events = inOrder(sampleEvents("success"))
    expect(() => plainText(events.slice(40))).not.toThrow()
  })

  test("a hostile name or log cannot forge a line, clear the screen or turn text around", () => {
    const text = plainText(inOrder(sampleEvents("failed", { hostile: true })))
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
    expect(text).toContain("<script>")
  })

  test("a log line that carries a newline stays one line", () => {
    const [first] = sampleEvents("success")
    if (first === undefined) throw new Error("no events")
    const text = plainText([
      first,
      { type: "step-logged", at: first.at, step: "checkout", line: "fine\n08:05:13  gate  ✓ success" },
    ])
    expect(text.trimEnd().split("\n")).toHaveLength(2)
  })
})

describe("the closing", () => {
  test.each([60, 100, 200])("the table keeps to %d columns", (columns) => {
    for (const scenario of scenarios) {
      const lines = closingLines(sampleRecord(scenario), { columns, utc: true, now })
      const rows = lines.filter((line) => /^(\S {2}|\s{3}step)/.test(line))
      expect(rows).toHaveLength(27)
      expect(rows.filter((line) => textWidth(line) > columns)).toEqual([])
    }
  })

  test.each([
    ["failed", "gantry logs 20261123-080512-7f3a catalog.unit-tests"],
    ["failed", "gantry run delivery"],
    ["errored", "gantry resume 20261123-080512-7f3a"],
    ["waiting", 'gantry approve 20261123-080512-7f3a --as <you> --reason "…"'],
    ["waiting", 'gantry reject 20261123-080512-7f3a --as <you> --reason "…"'],
    ["cancelled", "gantry resume 20261123-080512-7f3a"],
  ] as const)("%s: %s", (scenario, command) => {
    expect(whatNow(sampleRecord(scenario)).map((a) => a.command)).toContain(command)
  })

  test("repeats the selection and how Gantry is called", () => {
    const record = {
      ...sampleRecord("failed"),
      selection: { services: ["catalog"], until: "catalog.push" },
      dirty: true,
    }
    expect(whatNow(record, "npx gantry").map((a) => a.command)).toContain(
      "npx gantry run delivery --service catalog --until catalog.push --dirty",
    )
  })

  test("a refused deployment is not offered as delivered; one digest per service is", () => {
    const texts = whatNow(sampleRecord("success")).map((a) => `${a.text} ${a.url ?? a.value}`)
    expect(texts).toEqual([
      "catalog in TEST http://127.0.0.1:18080",
      "catalog in UAT http://127.0.0.1:18180",
      "catalog in PROD http://127.0.0.1:18280",
      `catalog, the one image sha256:${"c0ffee42".repeat(8)}`,
      "order in TEST http://127.0.0.1:18081",
      "order in UAT http://127.0.0.1:18181",
      "order in PROD http://127.0.0.1:18281",
      `order, the one image sha256:${"0b5e55ed".repeat(8)}`,
    ])
  })
})

describe("errors", () => {
  test("code, message, why, end of the log, what to do", () => {
    const text = renderFault(
      {
        code: "SUPPLY-NO-DOCKER",
        kind: "errored",
        message: "No Docker Engine answers",
        reason: "dial unix: no such file\nand more",
        hint: "`gantry doctor`",
      },
      { logTail: ["last but one", "last\u001b[2J"] },
    )
    expect(text).toBe(
      [
        "SUPPLY-NO-DOCKER: No Docker Engine answers",
        "  why    dial unix: no such file",
        "         and more",
        "  log    │ last but one",
        "         │ last",
        "  now    `gantry doctor`",
      ].join("\n"),
    )
  })

  test("an unforeseen error shows its words once and where it came from", () => {
    const record = toErrorRecord(new TypeError("x is not a function"))
    const lines = renderFault(record).split("\n")
    expect(lines[0]).toBe("UNEXPECTED: x is not a function")
    expect(lines[1]).toMatch(/^ {2}where {2}at .*text\.test\.ts/)
    expect(lines.filter((line) => line.includes("is not a function"))).toHaveLength(1)
    expect(lines.length).toBeLessThanOrEqual(7)
  })

  test("long reasons are broken to the width", () => {
    const text = renderFault({ code: "A", kind: "failed", message: "m", reason: "word ".repeat(60) }, { columns: 50 })
    for (const line of text.split("\n")) expect(textWidth(line)).toBeLessThanOrEqual(50)
  })

  test("colour only when wanted", () => {
    const error = { code: "A", kind: "failed", message: "m" } as const
    expect(renderFault(error)).toBe("A: m")
    expect(renderFault(error, { color: true })).toContain("\u001b[31m")
  })
})

describe("gantry show, runs, plan", () => {
  test.each(["success", "failed"] as const)("show: %s", async (scenario) => {
    await expect(renderRun(sampleRecord(scenario), { utc: true, now }) + "\n").toMatchFileSnapshot(
      `golden/show-${scenario}.txt`,
    )
  })

  test("runs", async () => {
    const text = renderRuns(
      scenarios.map((scenario) => sampleRecord(scenario)),
      { utc: true, now, columns: 140 },
    )
    await expect(text + "\n").toMatchFileSnapshot("golden/runs.txt")
    expect(renderRuns([])).toContain("`gantry run <pipeline>`")
  })

  test("plan", async () => {
    const node = (id: string, action: Plan["steps"][number]["action"], needs: string[], rest: object = {}) => ({
      id,
      kind: "pure" as const,
      needs,
      action,
      secrets: [],
      missingSecrets: [],
      ...rest,
    })
    const plan: Plan = {
      pipeline: "delivery",
      services: ["catalog"],
      commit: "4f2a9c17d8e05b6391c3a7e2f10d54b8a96c0e3d",
      dirty: false,
      steps: [
        node("checkout", "run", []),
        node("catalog.review", "skip", ["checkout"], { reason: "there is no merge request for this commit" }),
        node("catalog.unit-tests", "cached", ["checkout"]),
        node("catalog.push", "effect", ["catalog.unit-tests"], {
          effectKey: "push:sha256:c0ffee42",
          secrets: ["HARBOR_ROBOT", "HARBOR_TOKEN"],
          missingSecrets: ["HARBOR_TOKEN"],
        }),
        node("gate", "wait", ["catalog.push"]),
      ],
    }
    await expect(renderPlan(plan) + "\n").toMatchFileSnapshot("golden/plan.txt")
  })

  test("ASCII where the locale has no more", () => {
    const text = renderRun(sampleRecord("success"), { unicode: false, utc: true, now })
    const own = text.replaceAll(/[\p{Script=Han}]/gu, "").replaceAll(/[“”…–]/g, "")
    expect(own.match(/[^\x20-\x7e\n]/g) ?? []).toEqual([])
  })
})

test("NO_COLOR and FORCE_COLOR decide before the terminal does", () => {
  const terminal = { isTTY: true }
  expect(wantsColor(terminal, {})).toBe(true)
  expect(wantsColor({}, {})).toBe(false)
  expect(wantsColor(terminal, { NO_COLOR: "1" })).toBe(false)
  expect(wantsColor(terminal, { NO_COLOR: "" })).toBe(true)
  expect(wantsColor({}, { FORCE_COLOR: "1" })).toBe(true)
  expect(wantsColor(terminal, { FORCE_COLOR: "0" })).toBe(false)
  expect(wantsColor(terminal, { TERM: "dumb" })).toBe(false)
  expect(wantsUnicode({})).toBe(true)
  expect(wantsUnicode({ LANG: "C.UTF-8" })).toBe(true)
  expect(wantsUnicode({ LANG: "zh_CN.utf8" })).toBe(true)
  expect(wantsUnicode({ LANG: "zh_CN.GB18030" })).toBe(false)
  expect(wantsUnicode({ LC_ALL: "C", LANG: "en_US.UTF-8" })).toBe(false)
})

test("the sample is hostile indeed", () => expect(hostile).toContain("\u001b[2J"))
