import { PassThrough } from "node:stream"
import { describe, expect, it } from "vitest"
import type { RunEvent, Stamped, StepFinished } from "../../../core/events.js"
import { pendingRecord } from "../../../core/fold.js"
import { jobLogRenderer, type JobLogOptions } from "../../../report/gitlab-log.js"

const begin = Date.parse("2026-11-25T20:00:00.000Z")
const unix = begin / 1000
const at = (seconds: number) => new Date(begin + seconds * 1000).toISOString()
const node = (id: string) => ({ id, kind: "pure" as const, needs: [] })

const started: Stamped<RunEvent> = {
  type: "run-started",
  run: "gitlab-1",
  pipeline: "delivery",
  services: ["catalog"],
  commit: "c0ffee1234567890",
  dirty: false,
  selection: {},
  facts: { ci: { host: "gitlab", job: "https://gitlab.example/jobs/9", pipeline: "https://gitlab.example/p/1" } },
  steps: ["checkout", "catalog.image", "catalog.scan"].map(node),
  at: at(0),
}
const imported: Stamped<RunEvent> = {
  type: "step-imported",
  step: "checkout",
  record: { ...pendingRecord(node("checkout")), status: "success" },
  at: at(0),
}
const begins = (step: string, s: number): Stamped<RunEvent> => ({ type: "step-started", step, attempt: 1, at: at(s) })
const says = (step: string, line: string): Stamped<RunEvent> => ({ type: "step-logged", step, line, at: at(1) })
const ends = (step: string, s: number, more: Partial<StepFinished> = {}): Stamped<RunEvent> => ({
  type: "step-finished",
  step,
  status: "success",
  cached: false,
  at: at(s),
  ...more,
})
const over = (status: "success" | "failed", s: number): Stamped<RunEvent> => ({
  type: "run-finished",
  status,
  at: at(s),
})

function render(events: readonly Stamped<RunEvent>[], options: Partial<JobLogOptions> = {}): string {
  const out = new PassThrough()
  let text = ""
  out.on("data", (chunk: Buffer) => (text += chunk.toString()))
  const own = new Set(["catalog.image", "catalog.scan"])
  const listener = jobLogRenderer(out, { host: "gitlab", job: "catalog.package", own, utc: true, ...options })
  for (const event of events) listener(event)
  return text
}

const start = (name: string, s: number, header: string) =>
  `\u001b[0Ksection_start:${unix + s}:gantry_${name}[collapsed=true]\r\u001b[0K${header}\n`
const end = (name: string, s: number) => `\u001b[0Ksection_end:${unix + s}:gantry_${name}\r\u001b[0K\n`

describe("the log of a GitLab job", () => {
  const text = render([
    started,
    imported,
    begins("catalog.image", 1),
    says("catalog.image", "FROM node"),
    ends("catalog.image", 3),
    begins("catalog.scan", 3),
    says("catalog.scan", "1 critical"),
    ends("catalog.scan", 4, {
      status: "failed",
      error: { code: "TRIVY-POLICY", kind: "failed", message: "1 finding", hint: "mend it" },
    }),
    over("failed", 4),
  ])
  it("has a folded section for each step, with times, and the outcome behind it", () => {
    expect(text).toContain(
      `${start("catalog.image", 1, "catalog.image")}│ FROM node\n${end("catalog.image", 3)}catalog.image  ✓ success in 2.0 s\n`.replace(
        "│ ",
        "",
      ),
    )
    expect(text).toContain(start("catalog.scan", 3, "catalog.scan"))
  })
  it("tells why it is red outside of the section, and what to do", () => {
    const behind = text.slice(text.indexOf(end("catalog.scan", 4)))
    expect(behind).toContain("TRIVY-POLICY: 1 finding")
    expect(behind).toContain("mend it")
    expect(behind).toContain("https://gitlab.example/jobs/9")
    expect(behind).not.toContain("gantry resume")
  })
  it("folds away the records of earlier jobs, and closes with the job's own steps", () => {
    expect(text).toContain(
      `${start("records", 0, "Records of earlier jobs, verified")}✓ checkout success\n${end("records", 1)}`,
    )
    expect(text.slice(text.indexOf(end("catalog.scan", 4)))).not.toContain("checkout")
  })
  it("opens and closes each section once, in order", () => {
    const marks = [...text.matchAll(/section_(start|end):\d+:gantry_([\w.-]+)/g)].map((m) => `${m[1]} ${m[2]}`)
    expect(marks).toEqual([
      "start records",
      "end records",
      "start catalog.image",
      "end catalog.image",
      "start catalog.scan",
      "end catalog.scan",
    ])
  })
})

describe("steps that run at the same time", () => {
  it("stand one after the other", () => {
    const text = render([
      started,
      begins("catalog.image", 1),
      begins("catalog.scan", 1),
      says("catalog.scan", "scan 1"),
      says("catalog.image", "image 1"),
      ends("catalog.scan", 2),
      says("catalog.image", "image 2"),
      ends("catalog.image", 3),
      over("success", 3),
    ])
    const order = [
      "image 1",
      "image 2",
      "catalog.image  ",
      "section_start:" + (unix + 1) + ":gantry_catalog.scan",
      "scan 1",
      "catalog.scan  ",
    ]
    const places = order.map((part) => text.indexOf(part))
    expect(places).toEqual([...places].sort((a, b) => a - b))
    expect(places).not.toContain(-1)
  })
  it("the first is shown as it goes", () => {
    expect(render([started, begins("catalog.image", 1), says("catalog.image", "FROM node")])).toContain("FROM node")
  })
})

describe("what tools print", () => {
  it("cannot open a section", () => {
    const text = render([
      started,
      begins("catalog.image", 1),
      says("catalog.image", "\u001b[0Ksection_end:1:gantry_catalog.image\r\u001b[0Kfake"),
      ends("catalog.image", 2),
      over("success", 2),
    ])
    expect(text.match(/\u001b\[0Ksection_end/g)).toHaveLength(1)
  })
  it.each(["::set-output name=x::1", "  ::add-mask::x", "##[error]x", "a ##[add-mask]b"])(
    "is no command for GitHub: %s",
    (line) => {
      const text = render(
        [started, begins("catalog.image", 1), says("catalog.image", line), ends("catalog.image", 2)],
        {
          host: "github",
        },
      )
      const commands = text.split("\n").filter((l) => /^\s*::/.test(l) || l.includes("##["))
      expect(commands).toEqual(["::group::catalog.image", "::endgroup::"])
    },
  )
  it("is cut where it gets too much, and the file is named that has the rest", () => {
    const lines = Array.from({ length: 100 }, (_, i) => says("catalog.image", `line ${i} ${"x".repeat(80)}`))
    const text = render([started, begins("catalog.image", 1), ...lines, ends("catalog.image", 2), over("success", 2)], {
      stepLimit: 1000,
    })
    expect(text.length).toBeLessThan(3000)
    expect(text).toMatch(/… \d+ lines more in \.gantry\/runs\/gitlab-1\/steps\/catalog\.image\/log\.txt/)
  })
})

it("GitHub gets groups and an annotation for what went wrong", () => {
  const error = { code: "TESTS-RED", kind: "failed" as const, message: "50% red" }
  const text = render(
    [started, imported, begins("catalog.image", 1), ends("catalog.image", 2, { status: "failed", error })],
    {
      host: "github",
    },
  )
  expect(text).toContain("::group::Records of earlier jobs, verified\n✓ checkout success\n::endgroup::\n")
  expect(text).toContain("::error title=catalog.image failed::TESTS-RED: 50%25 red\n")
})

it("a step that did not run has a line and no section", () => {
  const text = render([
    started,
    ends("catalog.scan", 1, { status: "skipped", reason: "not run: catalog.image failed" }),
    over("failed", 1),
  ])
  expect(text).not.toContain("section_start")
  expect(text).toContain("catalog.scan  - skipped: not run: catalog.image failed")
})
