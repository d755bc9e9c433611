import { describe, expect, it } from "vitest"
import { jobsOf } from "../../../core/jobs.js"
import { pipeline } from "../../../core/pipeline.js"
import { step, type AnyStep } from "../../../core/step.js"

const make = (id: string, after: readonly AnyStep[] = [], more: object = {}) =>
  step(id, { after, run: async () => {}, ...more })

const source = make("checkout")
const image = make("a.image", [source])
const scan = make("a.scan", [image])
const push = make("a.push", [scan])
const gate = make("gate", [push], { gate: true })
const all = [source, image, scan, push, gate]
const jobs = (groups: Record<string, readonly AnyStep[]>) => jobsOf(pipeline("p", { targets: [gate], jobs: groups }))

describe("jobsOf", () => {
  it("is one job a step, where nothing is put together", () => {
    expect(jobs({}).map((job) => [job.name, job.needs])).toEqual([
      ["checkout", []],
      ["a.image", ["checkout"]],
      ["a.scan", ["a.image"]],
      ["a.push", ["a.scan"]],
      ["gate", ["a.push"]],
    ])
    expect(jobs({}).flatMap((job) => job.steps)).toEqual(all)
  })

  it("puts steps together, and leads what needs them to the group", () => {
    expect(
      jobs({ "a.package": [push, image, scan] }).map((job) => [job.name, job.steps.map((s) => s.id), job.needs]),
    ).toEqual([
      ["checkout", ["checkout"], []],
      ["a.package", ["a.image", "a.scan", "a.push"], ["checkout"]],
      ["gate", ["gate"], ["a.package"]],
    ])
  })

  const elsewhere = make("b.image")
  const test = make("a.test", [image], { environment: "test" })
  it.each<[string, Record<string, readonly AnyStep[]>, string, string]>([
    ["a name that is none", { "A package": [image] }, "JOB-NAME", "lower-case"],
    ["nothing", { empty: [] }, "JOB-STEP", "no steps"],
    ["a step of another pipeline", { "a.package": [image, elsewhere] }, "JOB-STEP", "b.image"],
    ["a step twice", { one: [image], two: [image, scan] }, "JOB-STEP", 'in job "one" already'],
    ["the name of another step", { "a.scan": [image, push] }, "JOB-STEP", "has this name"],
    ["a gate and something else", { end: [push, gate] }, "JOB-MIXED", "gate"],
    ["what it goes through outside", { "a.package": [image, push] }, "JOB-CYCLE", ""],
  ])("refuses %s", (_, groups, code, reason) => {
    expect(() => jobs(groups)).toThrow(expect.objectContaining({ code, kind: "usage" }) as Error)
    if (reason !== "") {
      expect(() => jobs(groups)).toThrow(
        expect.objectContaining({ reason: expect.stringContaining(reason) as string }) as Error,
      )
    }
  })

  it("refuses steps of several environments", () => {
    const both = pipeline("p", { targets: [test], jobs: { both: [image, test] } })
    expect(() => jobsOf(both)).toThrow(expect.objectContaining({ code: "JOB-MIXED" }) as Error)
  })
})
