import { describe, expect, it } from "vitest"
import { allowFailure, ensure, retry, timeout } from "../../../core/decorators.js"
import { step } from "../../../core/step.js"
import { thrown } from "./rig.js"

const run = () => Promise.resolve()
const effect = { key: () => "k", retry: { attempts: 1 }, reconcile: "repeat" } as const

describe("decorators", () => {
  const plain = step("a", { params: 1, run })

  it("answer another step with the same id and leave the first as it was", () => {
    for (const decorated of [
      retry(plain, { attempts: 3 }),
      timeout(plain, 2),
      allowFailure(plain),
      ensure(plain, run),
    ]) {
      expect(decorated).not.toBe(plain)
      expect(decorated.id).toBe("a")
      expect(decorated.definition.params).toBe(1)
      expect(decorated.definition.run).toBe(plain.definition.run)
      expect(Object.isFrozen(decorated)).toBe(true)
      expect(Object.isFrozen(decorated.definition)).toBe(true)
    }
    expect(plain.definition.retry).toBeUndefined()
    expect(plain.definition.allowFailure).toBeUndefined()
  })

  it("retry sets the policy of a pure step, or the effect's own", () => {
    expect(retry(plain, { attempts: 3 }).definition.retry).toEqual({ attempts: 3 })
    const deploy = retry(step("d", { effect, run }), { attempts: 5, backoff: 10 }).definition
    expect(deploy.retry).toBeUndefined()
    expect(deploy.effect).toEqual({ ...effect, retry: { attempts: 5, backoff: 10 } })
  })

  it("timeout counts in seconds", () => {
    expect(timeout(plain, 1.5).definition.timeout).toBe(1500)
  })

  it("can be put around each other", () => {
    const { definition } = timeout(retry(allowFailure(plain), { attempts: 2 }), 1)
    expect(definition).toMatchObject({ timeout: 1000, retry: { attempts: 2 }, allowFailure: true })
  })

  it("ensure runs every cleanup, inner first, also when one of them fails", async () => {
    const calls: string[] = []
    const inner = ensure(plain, () => {
      calls.push("inner")
      return Promise.reject(new Error("inner failed"))
    })
    const outer = ensure(inner, () => {
      calls.push("outer")
      return Promise.resolve()
    })
    expect(await thrown(() => outer.definition.ensure?.({} as never))).toMatchObject({ message: "inner failed" })
    expect(calls).toEqual(["inner", "outer"])
  })

  it("a gate cannot be allowed to fail", async () => {
    expect(await thrown(() => allowFailure(step("g", { gate: true, run })))).toMatchObject({ code: "STEP-GATE-ALLOW" })
  })
})
