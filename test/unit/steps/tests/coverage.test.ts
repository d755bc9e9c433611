import { describe, expect, it } from "vitest"
import { parseCoverage, percent } from "../../../../steps/tests/coverage.js"

describe("coverage", () => {
  it("reads LCOV; a line that several tests report counts once", () => {
    const text = ["TN:", "SF:a.js", "DA:1,1", "DA:2,0", "DA:3,0", "LF:3", "LH:1", "end_of_record"].join("\n")
    const again = ["TN:second", "SF:a.js", "DA:2,5", "end_of_record", "SF:b.js", "DA:1,0", "end_of_record"].join("\r\n")
    expect(parseCoverage(`${text}\n${again}\n`)).toEqual({ lines: 4, covered: 2 })
  })

  it("reads JaCoCo's counter of the whole report", () => {
    expect(
      parseCoverage(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?><!DOCTYPE report PUBLIC "-//JACOCO//DTD Report 1.1//EN" "report.dtd">
<report name="order"><sessioninfo id="x" start="1" dump="2"/>
<package name="com/shop"><class name="A"><counter type="LINE" missed="9" covered="9"/></class><counter type="LINE" missed="9" covered="9"/></package>
<counter type="INSTRUCTION" missed="5" covered="95"/><counter type="LINE" missed="25" covered="75"/></report>`),
    ).toEqual({ lines: 100, covered: 75 })
  })

  it.each([
    ["nothing to read", ""],
    ["other XML", "<coverage/>"],
    ["broken XML", "<report><counter"],
  ])("knows %s", (_what, text) => {
    expect(parseCoverage(text)).toBeUndefined()
  })

  it("is a percentage with one decimal, or unknown", () => {
    expect(percent([{ lines: 3, covered: 2 }])).toBe(66.7)
    expect(
      percent([
        { lines: 1, covered: 1 },
        { lines: 3, covered: 0 },
      ]),
    ).toBe(25)
    expect(percent([])).toBeUndefined()
    expect(percent([{ lines: 0, covered: 0 }])).toBeUndefined()
  })
})
