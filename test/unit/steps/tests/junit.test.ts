import { describe, expect, it } from "vitest"
import { parseJUnit } from "../../../../steps/tests/junit.js"

describe("parseJUnit", () => {
  it("reads Surefire: class names, errors, skipped, flaky, times with a comma", () => {
    const cases = parseJUnit(`<?xml version="1.0" encoding="UTF-8"?>
<testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="3.0.2" name="com.shop.OrderTest" time="1,234.5" tests="5" errors="1" skipped="1" failures="1">
  <properties><property name="java.version" value="21"/></properties>
  <testcase name="adds" classname="com.shop.OrderTest" time="0.016"/>
  <testcase name="rejects" classname="com.shop.OrderTest" time="1,000.5">
    <failure message="expected: &lt;1&gt; but was: &lt;2&gt;" type="org.opentest4j.AssertionFailedError"><![CDATA[org.opentest4j.AssertionFailedError: expected
	at com.shop.OrderTest.rejects(OrderTest.java:12)]]></failure>
  </testcase>
  <testcase name="" classname="com.shop.OrderTest"><error type="java.lang.NullPointerException">boom</error></testcase>
  <testcase name="later" classname="com.shop.OrderTest" time="0"><skipped message="not yet"/></testcase>
  <testcase name="wobbly" classname="com.shop.OrderTest" time="0.1"><flakyFailure message="once" type="x">at</flakyFailure></testcase>
</testsuite>`)
    expect(cases.map((c) => [c.name, c.outcome, c.flaky])).toEqual([
      ["com.shop.OrderTest › adds", "passed", false],
      ["com.shop.OrderTest › rejects", "failed", false],
      ["com.shop.OrderTest", "failed", false],
      ["com.shop.OrderTest › later", "skipped", false],
      ["com.shop.OrderTest › wobbly", "passed", true],
    ])
    expect(cases[1]).toMatchObject({ message: "expected: <1> but was: <2>", seconds: 1000.5 })
    expect(cases[1]?.details).toContain("OrderTest.java:12")
    expect(cases[2]?.message).toBe("boom")
  })

  it("reads vitest: files as class names", () => {
    const cases = parseJUnit(`<?xml version="1.0" encoding="UTF-8" ?>
<testsuites name="vitest tests" tests="2" failures="1" errors="0" time="0.2">
  <testsuite name="test/a.test.js" timestamp="2026-03-01T10:00:00.000Z" tests="2" failures="1" errors="0" skipped="0" time="0.02">
    <testcase classname="test/a.test.js" name="math &gt; adds" time="0.002"></testcase>
    <testcase classname="test/a.test.js" name="math &gt; 减" time="0.004">
      <failure message="expected 1 to be 2 // Object.is equality" type="AssertionError">
AssertionError: expected 1 to be 2
 ❯ test/a.test.js:5:3
      </failure>
    </testcase>
  </testsuite>
</testsuites>`)
    expect(cases.map((c) => [c.name, c.outcome])).toEqual([
      ["test/a.test.js › math > adds", "passed"],
      ["test/a.test.js › math > 减", "failed"],
    ])
  })

  it("reads node:test: nested suites, cases beside them, todo", () => {
    const cases = parseJUnit(`<?xml version="1.0" encoding="utf-8"?>
<testsuites>
	<testcase name="top level" time="0.0008" classname="test"/>
	<testsuite name="outer" time="0.001" disabled="0" errors="0" tests="2" failures="1" skipped="2" hostname="vm">
		<testsuite name="inner" time="0.001" disabled="0" errors="0" tests="2" failures="1" skipped="1" hostname="vm">
			<testcase name="fails &amp; &lt;b>" time="0.0008" classname="test" failure="1 == 2">
				<failure type="testCodeFailure" message="1 == 2">
Error [ERR_TEST_FAILURE]: 1 == 2
				</failure>
			</testcase>
		</testsuite>
		<testcase name="todo" time="0.00008" classname="test"><skipped type="todo" message="true"/></testcase>
	</testsuite>
	<!-- tests 3 -->
</testsuites>`)
    expect(cases.map((c) => [c.name, c.outcome])).toEqual([
      ["top level", "passed"],
      ["outer › todo", "skipped"],
      ["outer › inner › fails & <b>", "failed"],
    ])
  })

  it("counts a failure that a suite admits and no case shows", () => {
    const cases = parseJUnit(
      `<testsuites><testsuite name="crashed" tests="0" errors="1"><system-err>Segmentation fault</system-err></testsuite></testsuites>`,
    )
    expect(cases).toMatchObject([{ name: "crashed", outcome: "failed", details: "Segmentation fault" }])
  })

  it("takes a failure without words for one", () => {
    expect(parseJUnit(`<testsuite><testcase name="a"><failure/></testcase></testsuite>`)).toMatchObject([
      { outcome: "failed", message: "failed" },
    ])
  })

  it("reads a large report with thousands of escapes", () => {
    const many = Array.from(
      { length: 1200 },
      (_, i) =>
        `<testcase name="t${i} &lt;&amp;&gt;&#10;&quot;" classname="c"><failure message="&lt;x&gt;">a &lt; b</failure></testcase>`,
    )
    const cases = parseJUnit(`<testsuite name="s">${many.join("\n")}</testsuite>`)
    expect(cases).toHaveLength(1200)
    expect(cases[1199]).toMatchObject({ name: 'c › t1199 <&>\n"', message: "<x>", details: "a < b" })
  })

  it.each([
    ["cut off", `<testsuite><testcase name="a">`],
    ["empty", ""],
    ["no report", "<html></html>"],
    ["no XML", "1..3\nok 1"],
  ])("refuses what is %s", (_what, text) => {
    expect(() => parseJUnit(text)).toThrow(Error)
  })

  it("does not follow an entity to a file", () => {
    const evil = `<?xml version="1.0"?><!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite><testcase name="&x;"/></testsuite>`
    let text = ""
    try {
      text = JSON.stringify(parseJUnit(evil))
    } catch (error) {
      text = String(error)
    }
    expect(text).not.toContain("root:")
  })
})
