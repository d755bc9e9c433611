import { describe, expect, it } from "vitest"
import { isFault } from "../../../../core/errors.js"
import { parseExceptions, readExceptions } from "../../../../steps/trivy/exceptions.js"

const good = `- id: CVE-2021-23337
  owner: li.wei
  reason: template() is never called
  expires: 2027-06-30
  package: lodash
`

function faultOf(text: string) {
  try {
    parseExceptions(text, "gantry.exceptions.yaml")
  } catch (error) {
    if (isFault(error)) return error
    throw error
  }
  throw new Error("it was accepted")
}

describe("the exceptions file", () => {
  it("is a list; empty and absent mean none", async () => {
    expect(parseExceptions(good, "x")).toEqual([
      {
        id: "CVE-2021-23337",
        owner: "li.wei",
        reason: "template() is never called",
        expires: "2027-06-30",
        package: "lodash",
      },
    ])
    expect(parseExceptions("", "x")).toEqual([])
    expect(parseExceptions("# none yet\n", "x")).toEqual([])
    expect(await readExceptions("/nowhere/gantry.exceptions.yaml")).toEqual([])
  })

  it.each<[string, string, string, RegExp]>([
    ["a missing owner", good.replace("  owner: li.wei\n", ""), "gantry.exceptions.yaml:1", /entry 1, field "owner"/],
    [
      "a second entry's expiry",
      `${good}- id: CVE-1\n  owner: a\n  reason: b\n  expires: soon\n`,
      "gantry.exceptions.yaml:9",
      /entry 2, field "expires".*YYYY-MM-DD/,
    ],
    [
      "a day that does not exist",
      good.replace("2027-06-30", "2027-02-31"),
      "gantry.exceptions.yaml:4",
      /field "expires"/,
    ],
    ["an unknown field", `${good}  severity: LOW\n`, "gantry.exceptions.yaml:1", /severity/],
    ["an empty reason", good.replace("template() is never called", '""'), "gantry.exceptions.yaml:3", /field "reason"/],
    ["a map instead of a list", "CVE-2021-23337: fine\n", "gantry.exceptions.yaml:1", /not a list/],
    ["broken YAML", "- id: [\n", "gantry.exceptions.yaml:", /./],
    ["an entry that is a word", "- CVE-2021-23337\n", "gantry.exceptions.yaml:1", /entry 1/],
  ])("names file, line and field of %s", (_name, text, where, reason) => {
    const fault = faultOf(text)
    expect(fault).toMatchObject({ code: "TRIVY-EXCEPTIONS", kind: "usage" })
    expect(fault.message).toContain(where)
    expect(fault.reason).toMatch(reason)
    expect(fault.hint).toContain("owner")
  })
})
