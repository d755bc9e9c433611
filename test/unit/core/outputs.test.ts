import { describe, expect, it } from "vitest"
import { z } from "zod"
import { checkOutput, gatherNeeds } from "../../../core/outputs.js"
import { step } from "../../../core/step.js"
import { thrown } from "./rig.js"

const withSchema = (output: z.ZodType) =>
  step("a", { output: output as z.ZodType<string>, run: () => Promise.resolve("") })

describe("checkOutput", () => {
  it.each<[string, z.ZodType, unknown, unknown]>([
    ["what fits", z.object({ n: z.number() }), { n: 1 }, { n: 1 }],
    ["without members that are not declared", z.object({ n: z.number() }), { n: 1, m: 2 }, { n: 1 }],
    ["with defaults", z.object({ n: z.number().default(7) }), {}, { n: 7 }],
    ["without undefined members", z.object({ n: z.number().optional() }), { n: undefined }, {}],
    ["nothing", z.undefined(), undefined, undefined],
  ])("answers %s", (_, schema, value, checked) => {
    expect(checkOutput(withSchema(schema), value)).toEqual(checked)
  })

  it.each<[string, z.ZodType, unknown, string]>([
    ["another type", z.object({ a: z.object({ n: z.number() }) }), { a: { n: "1" } }, "a.n: "],
    ["nothing where something is declared", z.string(), undefined, "(the whole): "],
    ["a Date", z.object({ d: z.date() }), { d: new Date() }, "d: "],
    ["a Map", z.map(z.string(), z.number()), new Map([["a", 1]]), "(the whole): "],
    ["a value that reads back as another", z.string().transform(Number), "12", "(the whole): "],
    ["not a number", z.number().or(z.nan()), NaN, "(the whole): "],
  ])("refuses %s", async (_, schema, value, reason) => {
    expect(await thrown(() => checkOutput(withSchema(schema), value))).toMatchObject({
      code: "STEP-OUTPUT",
      kind: "errored",
      message: "The output of a is not what the step declares",
      reason: expect.stringContaining(reason) as string,
    })
  })

  it("makes plain JSON of an output without a schema, and says when that cannot be", async () => {
    const s = step("a", { run: () => Promise.resolve() })
    expect(checkOutput(s, { d: new Date(0), u: undefined })).toEqual({ d: "1970-01-01T00:00:00.000Z" })
    expect(checkOutput(s, undefined)).toBeUndefined()
    const circle: Record<string, unknown> = {}
    circle["self"] = circle
    for (const value of [circle, { n: 1n }, () => 1]) {
      expect(await thrown(() => checkOutput(s, value))).toMatchObject({
        code: "STEP-OUTPUT",
        reason: expect.stringContaining("not plain JSON") as string,
      })
    }
  })
})

describe("gatherNeeds", () => {
  it("puts outputs under the names of the needs; lists stay lists, what did not run is undefined", () => {
    const a = withSchema(z.string())
    const b = step("b", { run: () => Promise.resolve() })
    const s = step("s", { needs: { one: a, many: [a, b] }, run: () => Promise.resolve() })
    const outputs = new Map([["a", "A"]])
    expect(gatherNeeds(s, (need) => outputs.get(need.id))).toEqual({ one: "A", many: ["A", undefined] })
  })
})
