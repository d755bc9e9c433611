import { describe, expect, it } from "vitest"
import { gateRefused, gateReport } from "../../../../steps/sonarqube/gate.js"
import { parseTask } from "../../../../steps/sonarqube/analyse.js"
import { propertiesFile } from "../../../../steps/sonarqube/scanner.js"
import { tokenExpiry } from "../../../../steps/sonarqube/server.js"

describe("the gate's answer", () => {
  const red = gateReport(
    {
      status: "ERROR",
      ignoredConditions: false,
      conditions: [
        { status: "OK", metricKey: "new_violations", comparator: "GT", errorThreshold: "0", actualValue: "0" },
        { status: "ERROR", metricKey: "new_coverage", comparator: "LT", errorThreshold: "80", actualValue: "12.5" },
        {
          status: "ERROR",
          metricKey: "software_quality_security_rating",
          comparator: "GT",
          errorThreshold: "1",
          actualValue: "5.0",
        },
        { status: "NO_VALUE", metricKey: "coverage" },
      ],
    },
    "http://127.0.0.1:9000/dashboard?id=shop%3Acatalog",
  )

  it("shows what failed first, and ratings as letters", () => {
    expect(red.status).toBe("failed")
    expect(red.conditions).toEqual([
      { metric: "new_coverage", status: "failed", actual: "12.5", threshold: "80", comparator: "LT" },
      { metric: "software_quality_security_rating", status: "failed", actual: "E", threshold: "A", comparator: "GT" },
      { metric: "coverage", status: "none" },
      { metric: "new_violations", status: "passed", actual: "0", threshold: "0", comparator: "GT" },
    ])
  })

  it("that is red is a failed step with the conditions and the way to them", () => {
    const fault = gateRefused("catalog", red)
    expect(fault).toMatchObject({ code: "SONAR-GATE", kind: "failed" })
    expect(fault.message).toBe(
      "SonarQube's quality gate refuses catalog: new_coverage is 12.5, at least 80 is wanted (and 1 more)",
    )
    expect(fault.reason).toContain("software_quality_security_rating is E, at most A is wanted")
    expect(fault.hint).toContain("dashboard?id=shop%3Acatalog")
  })

  it.each([
    ["OK", "passed"],
    ["WARN", "passed"],
    ["ERROR", "failed"],
    ["NONE", "none"],
  ] as const)("%s is %s", (status, expected) => {
    expect(gateReport({ status, conditions: [], ignoredConditions: false }, "u").status).toBe(expected)
  })
})

describe("what passes between step and scanner", () => {
  it("is written as Java reads properties", () => {
    expect(
      propertiesFile({ "sonar.projectName": "订单", "sonar.exclusions": "**\\x\nsonar.host.url=evil", "a b": " c" }),
    ).toBe("sonar.projectName=\\u8ba2\\u5355\nsonar.exclusions=**\\\\x\\nsonar.host.url=evil\na\\ b=\\ c\n")
  })

  it("is read from report-task.txt", () => {
    const text = "projectKey=shop:catalog\r\nceTaskId=T1\nceTaskUrl=http://x/api/ce/task?id=T1\n"
    expect(parseTask(text)).toEqual({
      projectKey: "shop:catalog",
      ceTaskId: "T1",
      ceTaskUrl: "http://x/api/ce/task?id=T1",
    })
    for (const broken of ["", "projectKey=x\n", "ceTaskId=\n"]) {
      expect(() => parseTask(broken)).toThrow(expect.objectContaining({ code: "SONAR-SCANNER", kind: "errored" }))
    }
  })

  it("lives for two days at most", () => {
    expect(tokenExpiry(new Date("2026-12-30T23:59:00Z"))).toBe("2027-01-01")
  })
})
