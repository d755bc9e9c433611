import { describe, expect, it } from "vitest"
import { mapCoverage } from "../../../../steps/sonarqube/coverage.js"
import { testExecutions } from "../../../../steps/sonarqube/executions.js"
import { knownFiles } from "../../../../steps/sonarqube/files.js"

const node = knownFiles(["src/app.js", "src/products.js", "test/unit/app.test.js"])
const java = knownFiles([
  "src/main/java/com/shop/Order.java",
  "src/main/java/com/shop/api/Api.java",
  "src/test/java/com/shop/OrderTest.java",
  "a/Twice.java",
  "b/Twice.java",
])

describe("files that reports speak of", () => {
  it.each([
    ["src/app.js", "src/app.js"],
    ["./src/app.js", "src/app.js"],
    ["/src/services/catalog/src/app.js", "src/app.js"],
    ["C:\\work\\catalog\\src\\app.js", "src/app.js"],
    ["lib/app.js", undefined],
    ["app.js", undefined],
    ["", undefined],
  ])("%s is %s", (path, file) => {
    expect(node.locate(path)).toBe(file)
  })
  it("are not guessed when there are two", () => {
    expect(java.endingIn("Twice.java")).toBeUndefined()
    expect(java.endingIn("com/shop/Order.java")).toBe("src/main/java/com/shop/Order.java")
    // A whole path element, not the end of a word.
    expect(java.endingIn("rder.java")).toBeUndefined()
  })
})

describe("coverage for the scanner", () => {
  it("has LCOV's paths as the scanner's container has them", () => {
    const text =
      "TN:\nSF:/src/services/catalog/src/app.js\nDA:1,1\nend_of_record\nTN:\nSF:node_modules/x.js\nDA:1,0\nend_of_record\n"
    const mapped = mapCoverage(text, node, "lcov.info")
    expect(mapped).toMatchObject({ format: "lcov", files: 2, matched: 1 })
    expect(mapped.text).toContain("SF:src/app.js\nDA:1,1")
    expect(mapped.text).toContain("SF:node_modules/x.js")
  })

  it("counts JaCoCo's files by package and name", () => {
    const text = `<?xml version="1.0"?><report name="order"><package name="com/shop"><class name="com/shop/Order"/>
<sourcefile name="Order.java"><line nr="1"/></sourcefile></package><package name="com/shop/api"><sourcefile name="Gone.java"/></package></report>`
    expect(mapCoverage(text, java, "jacoco.xml")).toMatchObject({ format: "jacoco", files: 2, matched: 1, text })
  })

  it("that names none of the sources is an error: SonarQube would show 0 % without a word", () => {
    const stranger = "SF:/elsewhere/lib/a.ts\nDA:1,1\nend_of_record\n"
    expect(() => mapCoverage(stranger, node, "reports/lcov.info")).toThrow(
      expect.objectContaining({
        code: "SONAR-COVERAGE",
        kind: "usage",
        message: expect.stringContaining("reports/lcov.info") as string,
        reason: expect.stringContaining("/elsewhere/lib/a.ts") as string,
      }),
    )
    const foreign = '<report><package name="org/x"><sourcefile name="X.java"/></package></report>'
    expect(() => mapCoverage(foreign, java, "jacoco.xml")).toThrow(expect.objectContaining({ code: "SONAR-COVERAGE" }))
  })

  it("without any file in it is fine, in another format it is not", () => {
    expect(mapCoverage('<report name="empty"></report>', java, "x")).toMatchObject({ files: 0, matched: 0 })
    expect(() => mapCoverage('{"total":{}}', node, "coverage.json")).toThrow(expect.objectContaining({ kind: "usage" }))
  })
})

describe("test executions", () => {
  it("of vitest are of the file that they name", () => {
    const junit = `<testsuites><testsuite name="test/unit/app.test.js">
<testcase classname="test/unit/app.test.js" name="app &gt; starts" time="0.0123"/>
<testcase classname="test/unit/app.test.js" name="app &gt; says &quot;no&quot;" time="0.5"><failure message="expected 1 &lt; 2&#10;more">stack</failure></testcase>
<testcase classname="test/unit/app.test.js" name="later"><skipped/></testcase>
</testsuite></testsuites>`
    const { xml, tests, unknown } = testExecutions([junit], node)
    expect({ tests, unknown }).toEqual({ tests: 3, unknown: 0 })
    expect(xml).toBe(`<testExecutions version="1">
  <file path="test/unit/app.test.js">
    <testCase name="app &gt; starts" duration="12"/>
    <testCase name="app &gt; says &quot;no&quot;" duration="500"><failure message="expected 1 &lt; 2"/></testCase>
    <testCase name="later" duration="0"><skipped message=""/></testCase>
  </file>
</testExecutions>
`)
  })

  it("of Surefire are of the file of their class, also nested ones", () => {
    const junit = `<testsuite name="com.shop.OrderTest"><testcase classname="com.shop.OrderTest" name="adds" time="1,234.5"/>
<testcase classname="com.shop.OrderTest$Empty" name="has none" time="0.1"><error message="boom"/></testcase>
<testcase classname="com.other.Gone" name="is elsewhere" time="0"/></testsuite>`
    const { xml, tests, unknown } = testExecutions([junit, "<testsuites/>"], java)
    expect({ tests, unknown }).toEqual({ tests: 3, unknown: 1 })
    expect(xml).toContain('path="src/test/java/com/shop/OrderTest.java"')
    expect(xml).toContain('<testCase name="adds" duration="1234500"/>')
    expect(xml).toContain('<error message="boom"/>')
  })
})
