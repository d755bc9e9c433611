import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { Ajv2020 } from "ajv/dist/2020.js"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { branch } from "../../../core/condition.js"
import { fault } from "../../../core/errors.js"
import { pipeline } from "../../../core/pipeline.js"
import { runJsonSchema } from "../../../core/run-schema.js"
import { step } from "../../../core/step.js"
import { runPipeline } from "./rig.js"

const committed = join(import.meta.dirname, "../../../schema/run.schema.json")
const ok = () => Promise.resolve()

/** A run in which everything happens that a record can tell of. */
async function eventfulRun() {
  const good = step("good", {
    engine: false,
    stage: "build",
    service: "catalog",
    environment: "test",
    output: z.object({ list: z.array(z.number().nullable()), nested: z.object({ yes: z.boolean() }) }),
    async run({ artifacts, publish }) {
      await artifacts.put("a/b.txt", { text: "x" })
      publish({
        kind: "tests",
        suite: "s",
        total: 2,
        passed: 1,
        failed: 1,
        skipped: 0,
        seconds: 0.5,
        failures: [{ name: "n", message: "m" }],
      })
      publish({ kind: "findings", tool: "trivy", counts: { HIGH: 1 }, items: [] })
      publish({ kind: "quality-gate", status: "passed", conditions: [] })
      publish({
        kind: "rollout",
        environment: "prod",
        service: "catalog",
        strategy: "canary",
        to: "sha256:1",
        outcome: "went back",
        samples: [{ at: "2026-11-26T08:00:00Z", percent: 5, canary: { requests: 80, errors: 0.1 }, judgement: "fail" }],
        marks: [{ at: "2026-11-26T08:00:00Z", text: "5 %" }],
      })
      return { list: [1, null], nested: { yes: true } }
    },
  })
  const red = step("red", {
    engine: false,
    run: () => Promise.reject(fault({ code: "A-B", kind: "failed", message: "m", reason: "r", hint: "h" })),
  })
  const bug = step("bug", { engine: false, run: () => Promise.reject(new TypeError("bug")) })
  const effect = step("effect", {
    engine: false,
    effect: { key: () => "k", retry: { attempts: 1 }, reconcile: "repeat" },
    run: () => Promise.reject(fault({ code: "A-C", kind: "errored", message: "m" })),
  })
  const gate = step("gate", {
    engine: false,
    gate: true,
    run: () => Promise.reject(fault({ code: "G", kind: "waiting", message: "w" })),
  })
  const skipped = step("skipped", { engine: false, when: branch("main"), run: ok })
  const behind = step("behind", { engine: false, after: [red], run: ok })
  const pending = step("pending", { engine: false, after: [gate], run: ok })
  const targets = [good, red, bug, effect, skipped, behind, pending]
  return runPipeline(pipeline("p", { targets }), { facts: { branch: "x", changed: ["a"], dirty: false } })
}

describe("the schema of run.json", () => {
  it("is the committed one", async () => {
    await expect(JSON.stringify(runJsonSchema(), null, 2) + "\n").toMatchFileSnapshot(committed)
  })

  it("fits the records that runs leave, and tells when something is wrong with one", async () => {
    const schema = JSON.parse(await readFile(committed, "utf8")) as object
    const validate = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true }).compile(schema)
    const { dir, statuses } = await eventfulRun()
    expect(new Set(Object.values(statuses))).toEqual(
      new Set(["success", "failed", "errored", "waiting", "skipped", "pending"]),
    )
    const record = JSON.parse(await readFile(join(dir, "run.json"), "utf8")) as Record<string, unknown>
    validate(record)
    expect(validate.errors).toBeNull()

    for (const spoiled of [
      { ...record, schema: 2 },
      { ...record, status: "great" },
      { ...record, steps: undefined },
      { ...record, steps: [{ id: "a" }] },
      { ...record, startedAt: 5 },
    ]) {
      expect(validate(spoiled)).toBe(false)
    }
    // A later version may add what readers of today do not know.
    expect(validate({ ...record, more: 1 })).toBe(true)
  })
})
