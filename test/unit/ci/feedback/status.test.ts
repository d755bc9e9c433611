import { expect, it } from "vitest"
import { reportStatus, statusReporter } from "../../../../ci/feedback/status.js"
import type { CommitStatus } from "../../../../clients/codehost/index.js"
import { fault } from "../../../../core/errors.js"

const target = { commit: "c", pipeline: "77", url: "https://x" }

it("tells beginnings and ends of a job's own steps, in order", async () => {
  const told: CommitStatus[] = []
  const reporter = statusReporter(
    { setStatus: async (status) => void told.push(status) },
    target,
    new Set(["a", "b"]),
    () => undefined,
  )
  const started = (step: string) => reporter.event({ type: "step-started", step, attempt: 1 })
  started("a")
  started("other")
  reporter.event({
    type: "step-finished",
    step: "a",
    status: "failed",
    cached: false,
    error: { code: "X", kind: "failed", message: "red" },
  })
  reporter.event({ type: "step-finished", step: "b", status: "skipped", cached: false, reason: "only on main" })
  await reporter.done()
  expect(told.map((s) => [s.name, s.state, s.description])).toEqual([
    ["gantry/a", "running", undefined],
    ["gantry/a", "failed", "red"],
    ["gantry/b", "skipped", "skipped: only on main"],
  ])
  expect(told[0]).toMatchObject(target)
})

it("never throws: says once why, and gives up", async () => {
  let asked = 0
  const setStatus = () => {
    asked++
    return Promise.reject(
      fault({
        code: "CODEHOST-UNAVAILABLE",
        kind: "errored",
        message: "GitLab cannot be used",
        reason: "ECONNREFUSED",
      }),
    )
  }
  const warnings: string[] = []
  const reporter = statusReporter({ setStatus }, target, new Set(["a"]), (text) => void warnings.push(text))
  for (let i = 0; i < 3; i++) reporter.event({ type: "step-started", step: "a", attempt: 1 })
  await reporter.done()
  expect([asked, warnings]).toEqual([1, ["commit statuses are not set: GitLab cannot be used (ECONNREFUSED)"]])
  expect(await reportStatus({ setStatus }, target, "a", "success")).toBe("GitLab cannot be used (ECONNREFUSED)")
})
