import { describe, expect, it } from "vitest"
import { checkDefinition, stepIdPattern } from "../../../core/step-check.js"
import { step } from "../../../core/step.js"
import { thrown } from "./rig.js"

const run = () => Promise.resolve()
/** What a pipeline that was loaded without a type check may hand over. */
const check = (id: string, definition: object) => checkDefinition(id, { run, ...definition } as never)

describe("ids", () => {
  it.each(["a", "a1", "unit-tests", "catalog.unit-tests", "a.b.c", "0"])("%s is one", (id) => {
    expect(stepIdPattern.test(id)).toBe(true)
    expect(() => check(id, {})).not.toThrow()
  })

  it.each<[string, string]>([
    ["", "my-step"],
    ["Unit Tests", "unit-tests"],
    ["../escape", "escape"],
    ["a/b", "a-b"],
    ["-a-", "a"],
    ["a..b", "a..b"],
    ["登录", "my-step"],
  ])("%j is none; the hint names %s", async (id, better) => {
    const error = await thrown(() => step(id, { run }))
    expect(error).toMatchObject({ code: "STEP-ID", kind: "usage" })
    if (stepIdPattern.test(better)) expect(error.hint).toContain(`"${better}"`)
  })
})

describe("effects", () => {
  const whole = { key: () => "k", retry: { attempts: 1 }, reconcile: "repeat" }

  it.each(["key", "retry", "reconcile"])("say their %s", async (field) => {
    expect(await thrown(() => check("a", { effect: { ...whole, [field]: undefined } }))).toMatchObject({
      code: "STEP-EFFECT",
      message: `The effect of step "a" does not say its ${field}`,
    })
    expect(() => check("a", { effect: whole })).not.toThrow()
  })

  it("are not cached", async () => {
    expect(await thrown(() => check("a", { effect: whole, cache: () => 1 }))).toMatchObject({
      code: "STEP-EFFECT-CACHE",
    })
    expect(() => check("a", { effect: whole, cache: false })).not.toThrow()
  })
})

describe("identity tokens", () => {
  it.each<[string, object]>([
    ["is no secret of the step", { secrets: ["B"], idTokens: { A: "sigstore" } }],
    ["is for nobody", { secrets: ["A"], idTokens: { A: "" } }],
  ])("one that %s is refused", async (_, definition) => {
    expect(await thrown(() => check("a", definition))).toMatchObject({ code: "STEP-ID-TOKEN", kind: "usage" })
  })
  it("one that is declared and for somebody is fine", () => {
    expect(() => check("a", { secrets: ["A"], idTokens: { A: "sigstore" } })).not.toThrow()
  })
})

describe("needs", () => {
  it.each<[string, object]>([
    ["needs.x", { needs: { x: undefined } }],
    ["needs.x", { needs: { x: [step("b", { run }), undefined] } }],
    ["after", { after: [undefined] }],
    ["after", { after: ["b"] }],
  ])("are steps: %s of %j", async (where, definition) => {
    expect(await thrown(() => check("a", definition))).toMatchObject({
      code: "STEP-NEED",
      message: expect.stringContaining(`\`${where}\``) as string,
    })
  })
})
