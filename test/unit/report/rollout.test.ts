import { XMLValidator } from "fast-xml-parser"
import { describe, expect, it } from "vitest"
import type { RolloutReport } from "../../../core/reports.js"
import { briefReport, describeReport, reportDetails } from "../../../report/describe.js"
import { reportHtml } from "../../../report/html/reports.js"
import { hostile } from "./sample.js"

const at = (second: number) => new Date(Date.parse("2026-11-23T08:20:00Z") + second * 1000).toISOString()
const rollout = (over: Partial<RolloutReport> = {}): RolloutReport => ({
  kind: "rollout",
  environment: "prod",
  service: "catalog",
  strategy: "canary",
  from: "sha256:1",
  to: "sha256:2",
  outcome: "went back",
  samples: [
    { at: at(0), percent: 5 },
    {
      at: at(15),
      percent: 5,
      canary: { requests: 12 },
      baseline: { requests: 900, errors: 0, latency: 0.1 },
      judgement: "inconclusive",
    },
    {
      at: at(30),
      percent: 5,
      canary: { requests: 60, errors: 0.001, latency: 0.12 },
      baseline: { requests: 900, errors: 0, latency: 0.1 },
      judgement: "pass",
    },
    { at: at(31), percent: 25 },
    {
      at: at(45),
      percent: 25,
      canary: { requests: 300, errors: 0.09, latency: 1.4 },
      baseline: { requests: 800, errors: 0, latency: 0.1 },
      judgement: "fail",
    },
    { at: at(46), percent: 0 },
  ],
  marks: [
    { at: at(0), text: "5 % of the traffic" },
    { at: at(31), text: "25 % of the traffic" },
    { at: at(45), text: "serverErrors: 9 % of 300 requests" },
    { at: at(46), text: "0 % of the traffic" },
  ],
  ...over,
})
const html = (report: RolloutReport) => reportHtml(report).html
/** Where the points of a line are. */
const line = (page: string, name: string) =>
  [...page.matchAll(new RegExp(`class="${name}" d="([^"]*)"`, "g"))].map((match) => match[1] ?? "")

describe("a rollout in words", () => {
  it("is one line: what became of it, where, and what was measured", () => {
    const text = "canary of catalog went back at 25 % after 46 s, 3 measurements: 1 pass, 1 fail, 1 inconclusive"
    expect(describeReport(rollout())).toBe(`prod: ${text}`)
    expect(briefReport(rollout())).toBe(text)
    expect(describeReport(rollout({ outcome: "done", samples: [] }))).toBe("prod: canary of catalog done after 0 ms")
    const paused = rollout({ outcome: "paused", samples: rollout().samples.slice(0, 3) })
    expect(describeReport(paused)).toContain("paused at 5 % after 30 s, 2 measurements")
  })
  it("tells what was measured without deciding", () => {
    const dry = { metric: "heap", text: "512, dry run", judgement: "fail", dryRun: true } as const
    const measured = { metric: "serverErrors", text: "9 % of 300 requests", judgement: "fail", dryRun: false } as const
    const report = rollout({ marks: [], measures: [measured, dry] })
    expect(reportDetails(report)).toEqual(["heap: 512, dry run"])
    const rows = html(report).match(/<tr[^>]*><td class="keep">(heap|serverErrors).*/g) ?? []
    expect(rows[0]).toMatch(/class="blocking".*9 % of 300 requests.*fail</)
    expect(rows[1]).toMatch(/^<tr><td.*fail \(decides nothing\)/)
  })
  it("has the end of its story as details", () => {
    expect(reportDetails(rollout()).at(-2)).toMatch(/^\d\d:20:45 serverErrors: 9 %/)
  })
})

describe("a rollout drawn", () => {
  it("is well-formed, and says the same as a table", () => {
    const page = html(rollout())
    expect(XMLValidator.validate(`<x>${page}</x>`)).toBe(true)
    expect(page).toContain("12 / 900")
    expect(page).toContain("9 % / 0 %")
    expect(page).toContain("1.4 s / 100 ms")
    expect(page).toMatch(/aria-label="[^"]*the table below has the figures"/)
  })

  it("marks each verdict by its shape", () => {
    const page = html(rollout()).split(">new release</text>")[0] ?? ""
    expect(page.match(/class="pass"/g)).toHaveLength(1)
    expect(page.match(/class="inconclusive"/g)).toHaveLength(1)
    expect(page.match(/class="fail"/g)).toHaveLength(1)
  })

  it("has a gap where nothing was known, and no line through it", () => {
    const known = { requests: 60, errors: 0, latency: 0.1 }
    const samples = [known, { requests: 3 }, known, known].map((canary, i) => ({ at: at(i * 15), percent: 5, canary }))
    const [errors = ""] = line(html(rollout({ samples, marks: [] })), "new")
    expect(errors.match(/M/g)).toHaveLength(2)
    expect(errors.match(/L/g)).toHaveLength(1)
  })

  it("stays within the drawing, whatever the figures are", () => {
    const canary = { requests: 1, errors: 1, latency: 3600 }
    for (const samples of [
      [{ at: at(0), percent: 100, canary }],
      [
        { at: at(0), percent: 300, canary },
        { at: at(0), percent: -5, canary },
      ],
    ]) {
      const page = html(rollout({ samples, marks: [] }))
      expect(page).not.toMatch(/NaN|Infinity|undefined/)
      expect(XMLValidator.validate(`<x>${page}</x>`)).toBe(true)
    }
  })

  it("writes numbers of marks together where they would cover each other", () => {
    const numbers = [...html(rollout()).matchAll(/class="number"[^>]*>([^<]*)</g)].map((match) => match[1])
    expect(numbers).toEqual(["1", "2", "3", "4"])
    const close = rollout({ marks: [0, 1, 2].map((i) => ({ at: at(i / 10), text: `${i}` })) })
    expect(html(close)).toMatch(/class="number"[^>]*>1–3</)
  })

  it("escapes what it was told", () => {
    const page = html(rollout({ marks: [{ at: at(1), text: hostile }], strategy: hostile, service: hostile }))
    expect(page).not.toContain("<script")
    expect(page).not.toContain("<img")
    expect(XMLValidator.validate(`<x>${page}</x>`)).toBe(true)
  })

  it("is left out where nothing was told", () => {
    expect(html(rollout({ samples: [], marks: [] }))).not.toContain("<svg")
  })
})
