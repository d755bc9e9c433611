import { describe, expect, it } from "vitest"
import { parseReport } from "../../../../steps/trivy/report.js"

/** As Trivy 0.74.0 wrote it for an image with lodash 4.17.15, shortened. */
const real = {
  SchemaVersion: 2,
  Trivy: { Version: "0.74.0" },
  ArtifactName: "catalog",
  ArtifactType: "container_image",
  Results: [
    { Target: "catalog (debian 13.1)", Class: "os-pkgs", Type: "debian" },
    {
      Target: "Node.js",
      Class: "lang-pkgs",
      Vulnerabilities: [
        {
          VulnerabilityID: "CVE-2021-23337",
          VendorIDs: ["GHSA-35jh-r3h4-6jhm"],
          PkgName: "lodash",
          PkgPath: "app/node_modules/lodash/package.json",
          InstalledVersion: "4.17.15",
          FixedVersion: "4.17.21",
          Severity: "HIGH",
          Title: "Command injection in lodash's template function",
          PrimaryURL: "https://avd.aquasec.com/nvd/cve-2021-23337",
        },
        { VulnerabilityID: "CVE-1", PkgName: "x", InstalledVersion: "1", FixedVersion: "", Severity: "NEGLIGIBLE" },
      ],
    },
    {
      Target: "/app/config.env",
      Class: "secret",
      Secrets: [{ RuleID: "aws-access-key-id", Severity: "CRITICAL", Title: "AWS Access Key ID", StartLine: 1 }],
    },
    {
      Target: "catalog",
      Class: "config",
      Misconfigurations: [
        { ID: "DS-0002", Title: "Image user should not be 'root'", Severity: "HIGH", Status: "FAIL" },
        { ID: "DS-0001", Title: "Passed", Severity: "HIGH", Status: "PASS" },
      ],
    },
  ],
}

describe("Trivy's report", () => {
  it("becomes findings of one shape", () => {
    const { findings, version } = parseReport(JSON.stringify(real))
    expect(version).toBe("0.74.0")
    expect(findings).toEqual([
      {
        class: "vulnerability",
        id: "CVE-2021-23337",
        aliases: ["GHSA-35jh-r3h4-6jhm"],
        severity: "HIGH",
        title: "Command injection in lodash's template function",
        location: "lodash 4.17.15 in app/node_modules/lodash/package.json",
        package: "lodash",
        fixed: "4.17.21",
        url: "https://avd.aquasec.com/nvd/cve-2021-23337",
      },
      // A severity of another vocabulary is unknown, not an error; an empty fixed version is none.
      expect.objectContaining({ id: "CVE-1", severity: "UNKNOWN", location: "x 1 in Node.js" }),
      expect.objectContaining({ class: "secret", id: "aws-access-key-id", location: "/app/config.env:1" }),
      expect.objectContaining({ class: "misconfiguration", id: "DS-0002" }),
    ])
    expect(findings[1]).not.toHaveProperty("fixed")
  })

  it("with nothing in it has no findings", () => {
    const empty = { SchemaVersion: 2, ArtifactType: "container_image" }
    expect(parseReport(JSON.stringify(empty)).findings).toEqual([])
  })

  it.each([
    ["nothing", ""],
    ["half of it", JSON.stringify(real).slice(0, 200)],
    ["another schema", JSON.stringify({ ...real, SchemaVersion: 3 })],
    ["something else", '{"hello":"world"}'],
    ["a page", "<html>503</html>"],
  ])("is errored, never empty, when it is %s", (_name, text) => {
    expect(() => parseReport(text)).toThrow(expect.objectContaining({ code: "TRIVY-REPORT", kind: "errored" }))
  })
})
