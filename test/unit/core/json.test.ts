import { describe, expect, it } from "vitest"
import { canonicalJson, hashJson, sha256 } from "../../../core/json.js"

describe("canonicalJson", () => {
  it.each<[unknown, string]>([
    [{ b: 1, a: 2 }, '{"a":2,"b":1}'],
    [{ b: [{ d: 1, c: undefined }], a: null }, '{"a":null,"b":[{"d":1}]}'],
    [[3, 1, 2], "[3,1,2]"],
    ["text", '"text"'],
    [undefined, "null"],
  ])("%j", (value, text) => {
    expect(canonicalJson(value)).toBe(text)
  })
})

describe("hashes", () => {
  it("do not depend on the order of members", () => {
    expect(hashJson({ a: 1, b: { c: 2, d: 3 } })).toBe(hashJson({ b: { d: 3, c: 2 }, a: 1 }))
    expect(hashJson({ a: 1 })).not.toBe(hashJson({ a: 2 }))
  })

  it("are SHA-256 in hex (FIPS 180-2's example)", () => {
    expect(sha256("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  })
})
