import { describe, expect, it } from "vitest"
import { createMasker } from "../../../core/mask.js"

const secret = "s3cr3t/p@ss+word=&<ü>'\"\\x"
const masker = createMasker([secret])

/** Everything that a stream lets through when the text comes in these pieces. */
function stream(pieces: readonly string[], values: readonly string[] = [secret]): string {
  const s = createMasker(values).stream()
  return pieces.map((piece) => s.push(piece)).join("") + s.flush()
}

const leak = (value: string) =>
  [...Array(value.length - 3).keys()].map((i) => value.slice(i, i + 4)).filter((part) => part !== "***")

describe("mask: text", () => {
  it.each<[string, string]>([
    ["plain", secret],
    ["in a URL path", encodeURIComponent(secret)],
    ["in a URL, lower-case codes", encodeURIComponent(secret).replace(/%[0-9A-F]{2}/g, (c) => c.toLowerCase())],
    ["in a form", new URLSearchParams({ v: secret }).toString().slice(2)],
    ["in JSON", JSON.stringify(secret).slice(1, -1)],
    ["in JSON inside JSON", JSON.stringify(JSON.stringify(secret)).slice(3, -3)],
    ["in XML", secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")],
    ["as hex", Buffer.from(secret).toString("hex")],
    ["as base64", Buffer.from(secret).toString("base64")],
    ["as base64url", Buffer.from(secret).toString("base64url")],
  ])("%s", (_, text) => {
    expect(masker.text(`before ${text} after`)).toBe("before *** after")
  })

  it.each([0, 1, 2, 3, 4, 5, 20, 21, 22])("base64 of a text in which it stands behind %i bytes", (bytes) => {
    for (const behind of ["", "x", "xy", "xyz", ":tail of it"]) {
      const plain = "u".repeat(bytes) + secret + behind
      for (const form of ["base64", "base64url"] as const) {
        const masked = masker.text(Buffer.from(plain).toString(form))
        expect(masked).toContain("***")
        // What is left over may give away no more than the parts of bytes that neighbours share.
        expect(Buffer.from(masked.split("***")[1] ?? "", form).toString("latin1")).not.toContain(secret.slice(-3))
        expect(masked.length).toBeLessThan(Buffer.from("u".repeat(bytes) + behind).toString("base64").length + 3 + 8)
      }
    }
  })

  it.each([4, 5, 6, 7, 8, 9, 30])("base64 of a value of %i characters, alone", (length) => {
    const value = "qZ7kX9".repeat(6).slice(0, length)
    const encoded = Buffer.from(value).toString("base64")
    expect(createMasker([value]).text(encoded)).not.toContain(encoded.slice(0, 4))
  })

  it("masks the lines of a key that are printed one by one", () => {
    const key = "-----BEGIN KEY-----\nMIIEowIBAAKCAQEA0\nfG7hJk2Lm9Pq3Rs5T\n-----END KEY-----\n"
    const m = createMasker([key])
    expect(m.text(key)).toBe("***")
    expect(m.text("1: MIIEowIBAAKCAQEA0\n2: fG7hJk2Lm9Pq3Rs5T")).toBe("1: ***\n2: ***")
  })

  it("leaves nothing of secrets that overlap, and takes the longer of two that begin alike", () => {
    expect(createMasker(["abcdef", "defghi"]).text("-abcdefghi-")).toBe("-***-")
    expect(createMasker(["token", "token-long"]).text("token-long token")).toBe("*** ***")
  })

  it("leaves values of less than four characters alone, and texts without secrets as they are", () => {
    expect(createMasker(["a", "", "yes"]).text("yes, a word")).toBe("yes, a word")
    expect(createMasker([]).text(secret)).toBe(secret)
  })

  it("takes values with the signs of regular expressions as they are", () => {
    expect(createMasker(["a.c*[(\\d+"]).text("abc a.c*[(\\d+")).toBe("abc ***")
  })
})

describe("mask: JSON", () => {
  it("masks values and names at any depth, and keeps what is no text", () => {
    const value = { a: [secret, { [`k ${secret}`]: 1 }], b: null, c: true, d: undefined, n: 3 }
    expect(masker.json(value)).toEqual({ a: ["***", { "k ***": 1 }], b: null, c: true, d: undefined, n: 3 })
  })

  it("leaves the members that are to be kept", () => {
    expect(createMasker(["failed"]).json({ kind: "failed", message: "it failed" }, new Set(["kind"]))).toEqual({
      kind: "failed",
      message: "it ***",
    })
  })
})

describe("mask: streams", () => {
  const text = `a ${secret} b ${Buffer.from(`x:${secret}`).toString("base64")} c ${encodeURIComponent(secret)} d\n`
  const whole = masker.text(text)

  it("masks a value wherever it is split in two", () => {
    for (let i = 0; i <= text.length; i++) expect(stream([text.slice(0, i), text.slice(i)])).toBe(whole)
  })

  it("masks a value that comes character by character, and in threes", () => {
    expect(stream([...text])).toBe(whole)
    expect(stream(text.match(/[^]{1,3}/g) ?? [])).toBe(whole)
    expect(leak(secret).filter((part) => whole.includes(part))).toEqual([])
  })

  it("does not let the end of a longer secret go when a shorter one begins alike or lies across", () => {
    expect(stream(["token", "-long x"], ["token", "token-long"])).toBe("*** x")
    expect(stream(["abcd", "efgh"], ["abcd", "cdefgh"])).toBe("***")
    expect(stream(["abcd", "xyz"], ["abcd", "cdefgh"])).toBe("***xyz")
  })

  it("lets go at the end what only looked like the beginning", () => {
    const s = createMasker([secret]).stream()
    expect(s.push("it is s3c")).toBe("it is ")
    expect(s.flush()).toBe("s3c")
    expect(s.flush()).toBe("")
  })

  it("masks a value that was added while the stream was open", () => {
    const m = createMasker([])
    const s = m.stream()
    expect(s.push("one generated-token ")).toBe("one generated-token ")
    m.add("generated-token")
    expect(s.push("two generated-") + s.push("token ")).toBe("two *** ")
  })

  it("holds back no more than the longest secret", () => {
    const s = createMasker(["x".repeat(50)]).stream()
    expect(s.push("x".repeat(30) + "y".repeat(1000))).toHaveLength(1030)
  })
})
