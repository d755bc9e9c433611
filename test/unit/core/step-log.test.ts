import { describe, expect, it } from "vitest"
import { createMasker } from "../../../core/mask.js"
import { createStepLog } from "../../../core/step-log.js"

function log(secrets: readonly string[] = []) {
  const lines: string[] = []
  const masker = createMasker(secrets)
  return { lines, masker, log: createStepLog(masker, (some) => lines.push(...some)) }
}

describe("createStepLog", () => {
  it("cuts chunks into lines, whatever the pieces and the line ends", () => {
    const { lines, log: l } = log()
    for (const chunk of ["one\ntw", "o\r", "\nthree\n\nf", "our"]) l.write(chunk)
    expect(lines).toEqual(["one", "two", "three", ""])
    l.end()
    expect(lines).toEqual(["one", "two", "three", "", "four"])
  })

  it("ends an open line before a line of the step's own", () => {
    const { lines, log: l } = log()
    l.write("50 %")
    l.line("starting\nthe rest")
    expect(lines).toEqual(["50 %", "starting", "the rest"])
  })

  it("masks a secret over the border of chunks, and one that became known later", () => {
    const { lines, masker, log: l } = log(["hunter2-long"])
    l.write("a hunt")
    l.write("er2-long b\n")
    masker.add("generated")
    l.line("c generated d")
    l.write("gener")
    l.write("ated\n")
    expect(lines).toEqual(["a *** b", "c *** d", "***"])
  })

  it("cuts a line that does not end", () => {
    const { lines, log: l } = log()
    for (let i = 0; i < 20; i++) l.write("=".repeat(10_000))
    l.end()
    expect(lines.join("")).toHaveLength(200_000)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(80_000)
  })
})
