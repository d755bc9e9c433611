import { describe, expect, test } from "vitest"
import { busySpans, criticalPath, stepDuration, wallTime, workTime } from "../../../report/timing.js"
import { sampleRecord } from "./sample.js"

describe("where the time went", () => {
  test("the night that a run waited is not work", () => {
    const record = sampleRecord("success")
    expect(wallTime(record)).toBeGreaterThan(14 * 3600 * 1000)
    expect(workTime(record)).toBeGreaterThan(120_000)
    expect(workTime(record)).toBeLessThan(140_000)
  })

  test("steps side by side count once", () => {
    const record = sampleRecord("success")
    const sum = record.steps.reduce((total, step) => total + (stepDuration(step) ?? 0), 0)
    expect(workTime(record)).toBeLessThan(sum)
    for (const [i, span] of busySpans(record).entries()) {
      expect(span.to).toBeGreaterThanOrEqual(span.from)
      expect(span.from).toBeGreaterThan(busySpans(record)[i - 1]?.to ?? 0)
    }
  })

  test("the critical path leads from the first step to the last one", () => {
    expect(criticalPath(sampleRecord("success"))).toEqual([
      "checkout",
      "order.integration-tests",
      "order.quality",
      "order.push",
      "order.deploy-test",
      "order.acceptance",
      "order.deploy-uat",
      "order.uat-checks",
      "gate",
      "order.rollout",
    ])
    expect(criticalPath({ ...sampleRecord("success"), steps: [] })).toEqual([])
  })

  test("while a run goes on, the path leads to what has run longest", () => {
    const record = sampleRecord("success")
    const steps = record.steps.map((step) => {
      if (step.id !== "catalog.image") return step
      const { finishedAt: _, ...running } = step
      return { ...running, status: "running" as const }
    })
    const path = criticalPath({ ...record, steps }, Date.parse("2026-12-01T00:00:00Z"))
    expect(path).toEqual(["checkout", "catalog.image"])
  })

  test("a step that runs is measured until now; one that never started is not", () => {
    const [step] = sampleRecord("success").steps
    if (step?.startedAt === undefined) throw new Error("no step")
    const { finishedAt: _, ...running } = step
    expect(stepDuration(running, Date.parse(step.startedAt) + 5000)).toBe(5000)
    expect(stepDuration(running)).toBeUndefined()
    const { startedAt: __, ...pending } = running
    expect(stepDuration(pending, 1e15)).toBeUndefined()
  })
})
