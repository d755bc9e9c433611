import { describe, expect, it } from "vitest"
import { killedFault, quote, unseen } from "../../../steps/container.js"

describe("what of an output the live lines did not show", () => {
  it.each<[string, string, string[], string]>([
    ["nothing was live", "a\nb\n", [], "a\nb\n"],
    ["all was live", "a\nb\n", ["a", "b"], ""],
    ["no newline at the end", "a\nb", ["a", "b"], ""],
    ["the end is missing", "a\nb\nc\n", ["a"], "b\nc\n"],
    ["the CLI shows tabs and colours otherwise", "\tat x\n\u001b[32mok\u001b[0m\nend\n", ["  at x", "ok"], "end\n"],
    ["the CLI shows what is written over in its own way", "1 %\r2 %\r\ndone\n", ["2 %", "done"], ""],
    ["standard output and errors came in another order", "a\nb\n", ["b", "a"], ""],
    ["there was no output", "", [], ""],
  ])("%s", (_what, output, live, expected) => {
    expect(unseen(output, live)).toBe(expected)
  })

  it.each([
    ["are something else", "a\nb\nc\n", ["b"]],
    ["are as many, and of another command", "a\n", ["z"]],
    ["are more", "a\nb\n", ["z", "a", "y"]],
  ])("is the whole when the live lines %s", (_what, output, live) => {
    expect(unseen(output, live)).toBe(`[the whole output once more: the live lines were not all]\n${output}`)
  })
})

it("quotes a shell word", () => {
  expect(quote(`it's $HOME`)).toBe(`'it'\\''s $HOME'`)
})

it.each([
  [137, "errored"],
  [139, "errored"],
  [143, "errored"],
  [1, undefined],
  [124, undefined],
])("exit code %i is an end from outside: %s", (code, kind) => {
  expect(killedFault("x", code, "out")?.kind).toBe(kind)
})
