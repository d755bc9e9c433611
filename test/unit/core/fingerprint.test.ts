import { describe, expect, it } from "vitest"
import { z } from "zod"
import { fingerprint } from "../../../core/fingerprint.js"
import { step, type AnyStep, type RunInfo } from "../../../core/step.js"

const info: RunInfo = { id: "r", pipeline: "p", dir: "/d", project: "/p", commit: "c1", dirty: false }
const source = step("source", { output: z.string(), run: () => Promise.resolve("") })
const effect = { key: () => "k", retry: { attempts: 1 }, reconcile: "repeat" } as const
const print = (s: AnyStep, needs: Record<string, unknown> = { source: "s1" }, run: Partial<RunInfo> = {}) =>
  fingerprint(s, needs, { ...info, ...run })
const run = () => Promise.resolve()
const base = { needs: { source }, run }

describe("fingerprint", () => {
  const of = print(step("a", base))

  it.each<[string, string | undefined]>([
    ["id", print(step("b", base))],
    ["version", print(step("a", { ...base, version: 2 }))],
    ["params", print(step("a", { ...base, params: { x: 1 } }))],
    ["outputs of the needs", print(step("a", base), { source: "s2" })],
    ["code of run", print(step("a", { ...base, run: () => Promise.resolve(void 0) }))],
    ["declared inputs", print(step("a", { ...base, cache: () => "x" }))],
  ])("depends on the %s", (_, other) => {
    expect(other).not.toBe(of)
  })

  it.each<[string, string | undefined]>([
    ["run", print(step("a", base), { source: "s1" }, { id: "r2", dir: "/e" })],
    ["commit, where a need stands for it", print(step("a", base), { source: "s1" }, { commit: "c2" })],
    ["timeout", print(step("a", { ...base, timeout: 5 }))],
    ["version 1 said aloud", print(step("a", { ...base, version: 1 }))],
  ])("does not depend on the %s", (_, other) => {
    expect(other).toBe(of)
  })

  it("depends on nothing but what `cache` answers, where it does", () => {
    const narrow = step("a", { ...base, cache: ({ needs, run: r }) => [needs.source.length, r.pipeline] })
    expect(print(narrow, { source: "s2" })).toBe(print(narrow, { source: "s1" }))
    expect(print(narrow, { source: "long" })).not.toBe(print(narrow, { source: "s1" }))
  })

  it("of a step that needs nothing depends on the commit, and there is none of a dirty work tree", () => {
    const root = step("root", { run })
    expect(print(root, {}, { commit: "c2" })).not.toBe(print(root, {}))
    expect(print(root, {}, { dirty: true })).toBeUndefined()
    expect(print(step("root", { run, cache: () => 1 }), {}, { dirty: true })).toBeDefined()
  })

  it.each<[string, AnyStep]>([
    ["effects", step("e", { ...base, effect })],
    ["gates", step("g", { ...base, gate: true })],
    ["steps that say so", step("n", { ...base, cache: false })],
  ])("does not exist for %s", (_, s) => {
    expect(print(s)).toBeUndefined()
  })
})
