import { describe, expect, it } from "vitest"
import { encodings } from "../../../core/encodings.js"

describe("encodings", () => {
  it.each<[string, string]>([
    ["Node, browsers", "a%2Fb%20c%26%C3%BC!"],
    ["strict ones (RFC 3986)", "a%2Fb%20c%26%C3%BC%21"],
    ["Python's quote()", "a/b%20c%26%C3%BC%21"],
    ["Java's and browsers' forms", "a%2Fb+c%26%C3%BC%21"],
    ["lower-case codes", "a%2fb%20c%26%c3%bc!"],
    ["JSON of Go", "a/b c\\u0026ü!"],
    ["JSON of PHP", "a\\/b c&ü!"],
    ["XML", "a/b c&amp;ü!"],
    ["hex", Buffer.from("a/b c&ü!").toString("hex")],
  ])("has the form of %s", (_, form) => {
    expect(encodings("a/b c&ü!")).toContain(form)
  })

  it("has the value without the space around it, too", () => {
    expect(encodings(" padded-value\n")).toEqual(expect.arrayContaining([" padded-value\n", "padded-value"]))
  })

  it("does not fail on half of a surrogate pair", () => {
    expect(() => encodings("broken \ud800 text")).not.toThrow()
  })

  it("has no short base64 middles, which would be found by chance in hashes", () => {
    const short = encodings("test").filter((form) => form.length < 4)
    expect(short).toEqual([])
    expect(encodings("test")).not.toContain(Buffer.from("\0\0test").toString("base64").slice(3, -1))
  })
})
