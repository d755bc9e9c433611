import { describe, expect, it } from "vitest"
import { fault, isFault, toErrorRecord } from "../../../core/errors.js"

describe("fault", () => {
  it("is an error with a code, recognised also when another copy of the package made it", () => {
    const error = fault({ code: "AREA-WORD", kind: "failed", message: "no", cause: new Error("why") })
    expect(error).toBeInstanceOf(Error)
    expect(error.name).toBe("AREA-WORD")
    expect((error.cause as Error).message).toBe("why")
    expect(isFault(error)).toBe(true)
    expect(isFault(Object.assign(new Error("x"), { [Symbol.for("gantry.fault")]: true }))).toBe(true)
  })

  it.each([undefined, null, "text", new Error("x"), {}])("is not %s", (value) => {
    expect(isFault(value)).toBe(false)
  })
})

describe("toErrorRecord", () => {
  it("has what a fault says and no stack", () => {
    const record = toErrorRecord(fault({ code: "A-B", kind: "errored", message: "m", reason: "r", hint: "h" }))
    expect(record).toEqual({ code: "A-B", kind: "errored", message: "m", reason: "r", hint: "h" })
    expect(toErrorRecord(fault({ code: "A-B", kind: "failed", message: "m" }))).toEqual({
      code: "A-B",
      kind: "failed",
      message: "m",
    })
  })

  it("keeps the stack of what nobody foresaw, and takes one line as message", () => {
    const record = toErrorRecord(new Error("first\nsecond"))
    expect(record).toMatchObject({ code: "UNEXPECTED", kind: "errored", message: "first", reason: "first\nsecond" })
    expect(record.stack).toContain("errors.test.ts")
    expect(toErrorRecord("a text")).toMatchObject({ code: "UNEXPECTED", message: "a text" })
  })
})
