import { mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { createHash } from "node:crypto"
import { dirname, join } from "node:path"
import { Ajv, type AnySchema } from "ajv"
import { XMLParser, XMLValidator } from "fast-xml-parser"
import { describe, expect, it } from "vitest"
import { createMasker } from "../../../../core/mask.js"
import { RunRecord, type StepRecord } from "../../../../core/record.js"
import type { Report } from "../../../../core/reports.js"
import { jobSbom } from "../../../../report/ci/sbom.js"
import { JobSummary } from "../../../../report/ci/summary.js"
import { bareRecord, writeCiFiles } from "../../../../report/ci/write.js"
import { temporaryProject } from "../../core/rig.js"
import { codeQuality, containerScanning, cyclonedx } from "./schemas.js"

const digest = `sha256:${"1".repeat(64)}`
const trivy = {
  SchemaVersion: 2,
  ArtifactName: "catalog",
  Trivy: { Version: "0.74.0" },
  Metadata: { OS: { Family: "debian", Name: "13.1" } },
  Results: [
    {
      Target: "app/package-lock.json",
      Vulnerabilities: [
        {
          VulnerabilityID: "CVE-2021-23337",
          PkgName: "lodash",
          InstalledVersion: "4.17.15",
          FixedVersion: "4.17.21",
          Severity: "HIGH",
          Title: `lodash: command injection ${"x".repeat(300)}`,
          Description: "templates, and hunter2-hunter2",
          PrimaryURL: "https://avd.aquasec.com/nvd/cve-2021-23337",
          References: ["https://example.org/1", "not a link", "https://example.org/1"],
        },
        { VulnerabilityID: "GHSA-xxxx", PkgName: "left-pad", Severity: "STRANGE" },
      ],
    },
    { Target: "none" },
  ],
}
const sbom = {
  bomFormat: "CycloneDX",
  specVersion: "1.6",
  version: 1,
  components: [{ type: "library", name: "lodash", "bom-ref": "a" }],
  dependencies: [{ ref: "a" }],
}
const lcov = "TN:\nSF:/work/service/src/app.ts\nDA:1,2\nDA:2,0\nend_of_record\nSF:src/gone.ts\nDA:1,1\nend_of_record\n"
const jacoco = `<?xml version="1.0"?><!DOCTYPE report PUBLIC "-//JACOCO//DTD Report 1.1//EN" "report.dtd"><report name="x"><package name="com/shop"><sourcefile name="Order.java"><line nr="3" mi="0" ci="4" mb="0" cb="0"/><line nr="4" mi="2" ci="0" mb="0" cb="0"/></sourcefile></package></report>`
const junit = `<?xml version="1.0"?><testsuites><testsuite name="app"><testcase classname="a" name="is &lt;green&gt;" time="0.1"/><testcase classname="a" name="is red" time="1"><failure message="expected hunter2-hunter2">at &#x1b;[31mline 1</failure></testcase></testsuite></testsuites>`

const reports: readonly Report[] = [
  {
    kind: "tests",
    suite: "catalog.unit-tests",
    total: 2,
    passed: 1,
    failed: 1,
    skipped: 0,
    seconds: 1,
    failures: [{ name: "is red", message: "no", details: "long" }],
  },
  {
    kind: "findings",
    tool: "Trivy",
    counts: { HIGH: 1 },
    items: [
      { id: "CVE-1", severity: "HIGH", title: "in an image", location: "lodash 4 in app/Dockerfile", blocking: true },
      { id: "DS002", severity: "LOW", title: "root user", location: "Dockerfile:3", blocking: false, fix: "USER" },
    ],
  },
  {
    kind: "quality-gate",
    status: "failed",
    conditions: [{ metric: "new_coverage", status: "failed", actual: "71", threshold: "80", comparator: "LT" }],
  },
  { kind: "image", reference: `harbor.example/shop/catalog@${digest}`, digest },
  {
    kind: "deployment",
    environment: "test",
    service: "catalog",
    digest,
    url: "http://catalog.test:8080",
    replicas: 1,
    configHash: "c",
    unchanged: false,
  },
]

interface Files {
  readonly [name: string]: string
}

/** A job's record with files that its one step kept, and what comes of them. */
async function filesOf(kept: Readonly<Record<string, string>>, more: Partial<StepRecord> = {}) {
  const project = await temporaryProject()
  const runDir = join(project, ".gantry/runs/gitlab-1")
  const artifacts = []
  for (const [name, text] of Object.entries(kept)) {
    const path = `artifacts/catalog.unit-tests/${name}`
    await mkdir(dirname(join(runDir, path)), { recursive: true })
    await writeFile(join(runDir, path), text)
    artifacts.push({ path, sha256: createHash("sha256").update(text).digest("hex"), size: text.length })
  }
  const step = (id: string, change: Partial<StepRecord> = {}): StepRecord => ({
    id,
    kind: "pure",
    status: "success",
    needs: [],
    attempts: 1,
    cached: false,
    startedAt: "2026-11-25T20:00:00.123Z",
    finishedAt: "2026-11-25T20:00:02.123Z",
    artifacts: [],
    reports: [],
    ...change,
  })
  const record: RunRecord = {
    ...bareRecord({ run: "gitlab-1", pipeline: "delivery", commit: "c0ffee", status: "success" }),
    services: ["catalog"],
    steps: [
      step("checkout"),
      step("catalog.unit-tests", { service: "catalog", artifacts, ...more }),
      step("catalog.lint", { service: "catalog" }),
      step("catalog.deploy", { status: "pending" }),
    ],
  }
  const files: Record<string, string> = {
    "/work/service/src/app.ts": "catalog/src/app.ts",
    "com/shop/Order.java": "order/src/main/java/com/shop/Order.java",
    Dockerfile: "catalog/Dockerfile",
    "lodash 4 in app/Dockerfile": "catalog/Dockerfile",
    "src/app.ts": "catalog/src/app.ts",
    "catalog/gantry.service.yaml": "catalog/gantry.service.yaml",
  }
  const dir = join(project, ".gantry/ci/catalog.unit-tests")
  await writeCiFiles({
    dir,
    runDir,
    record,
    job: "catalog.unit-tests",
    own: new Set(["catalog.unit-tests", "catalog.lint"]),
    masker: createMasker(["hunter2-hunter2"]),
    locate: (_, path) => files[path],
    folder: (service) => service,
    version: "0.1.0",
  })
  const written: Record<string, string> = {}
  for (const name of await readdir(dir)) written[name] = await readFile(join(dir, name), "utf8")
  return written as Files
}

function check(schema: AnySchema, text: string | undefined): unknown {
  const value = JSON.parse(text ?? "") as unknown
  const validate = new Ajv({ strict: false }).compile(schema)
  expect(validate(value), JSON.stringify(validate.errors)).toBe(true)
  return value
}
const xml = (text: string | undefined) => {
  expect(XMLValidator.validate(text ?? "")).toBe(true)
  return new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: "",
    isArray: (n) => ["testsuite", "testcase", "class", "line"].includes(n),
  }).parse(text ?? "") as never
}
const names = [
  "bom.cdx.json",
  "cobertura.xml",
  "gl-code-quality.json",
  "gl-container-scanning.json",
  "job.env",
  "junit.xml",
  "report.html",
  "run.json",
  "summary.json",
]

describe("the files of a job", () => {
  it("are all there and valid when there is nothing to say", async () => {
    const files = await filesOf({})
    expect(Object.keys(files).sort()).toEqual(names)
    check(containerScanning, files["gl-container-scanning.json"])
    expect(check(codeQuality, files["gl-code-quality.json"])).toEqual([])
    check(cyclonedx, files["bom.cdx.json"])
    xml(files["junit.xml"])
    expect((xml(files["cobertura.xml"]) as { coverage: object }).coverage).toMatchObject({ "lines-valid": "0" })
    expect(JobSummary.parse(JSON.parse(files["summary.json"] ?? ""))).toMatchObject({ job: "catalog.unit-tests" })
    expect(RunRecord.parse(JSON.parse(files["run.json"] ?? "")).steps.map((s) => s.id)).toEqual([
      "checkout",
      "catalog.unit-tests",
      "catalog.lint",
    ])
  })
  it("JUnit: cases of the tests, and one for each step without any; what XML cannot hold is left out", async () => {
    const text = (await filesOf({ "junit/a.xml": junit, "junit/broken.xml": "<testsuites><tes" }))["junit.xml"] ?? ""
    const { testsuites } = xml(text) as { testsuites: { testsuite: { name: string }[] } }
    expect(testsuites.testsuite.map((s) => s.name)).toEqual(["delivery.catalog", "catalog.unit-tests"])
    expect(text).toContain('name="catalog.lint"')
    expect(text).not.toContain('name="checkout"')
    expect(text).toContain('message="expected ***"')
    expect(text).toContain("is &lt;green&gt;")
    expect(text).not.toContain("\u001b")
    expect(text.match(/<testsuites/g)).toHaveLength(1)
  })
  it("Cobertura: lines of LCOV and JaCoCo, files as the repository names them, others left out", async () => {
    const files = await filesOf({
      "coverage/lcov.info": lcov,
      "coverage/more.info": lcov,
      "coverage/jacoco.xml": jacoco,
      "coverage/readme.txt": "?",
    })
    const text = files["cobertura.xml"] ?? ""
    expect((xml(text) as { coverage: object }).coverage).toMatchObject({
      "lines-valid": "4",
      "lines-covered": "2",
      "line-rate": "0.5000",
    })
    expect(text).toContain('filename="catalog/src/app.ts"')
    expect(text).toContain('<line number="1" hits="4"/>')
    expect(text).toContain('filename="order/src/main/java/com/shop/Order.java"')
    expect(text).not.toContain("gone.ts")
    expect(text).not.toContain("<source>")
  })
  it("code quality: SonarQube's issues at their lines", async () => {
    const item = {
      id: "typescript:S1854",
      severity: "MEDIUM",
      title: "Remove this",
      location: "src/app.ts:12",
      blocking: false,
    }
    const files = await filesOf(
      {},
      {
        reports: [
          {
            kind: "findings",
            tool: "SonarQube",
            counts: { MEDIUM: 2 },
            items: [item, item, { ...item, location: "src/app.ts:40" }],
          },
        ],
      },
    )
    const issues = check(codeQuality, files["gl-code-quality.json"]) as { fingerprint: string }[]
    expect(issues).toMatchObject([
      {
        check_name: "typescript:S1854",
        severity: "major",
        location: { path: "catalog/src/app.ts", lines: { begin: 12 } },
      },
      { check_name: "typescript:S1854", location: { lines: { begin: 40 } } },
    ])
    expect(new Set(issues.map((issue) => issue.fingerprint)).size).toBe(2)
  })
  it("code quality: findings in files, and the conditions of a red quality gate", async () => {
    const files = await filesOf({}, { reports: [...reports] })
    const issues = check(codeQuality, files["gl-code-quality.json"]) as { check_name: string; location: unknown }[]
    expect(issues).toMatchObject([
      { check_name: "DS002", severity: "minor", location: { path: "catalog/Dockerfile", lines: { begin: 3 } } },
      {
        check_name: "quality-gate.new_coverage",
        location: { path: "catalog/gantry.service.yaml", lines: { begin: 1 } },
      },
    ])
  })
  it("container scanning: vulnerabilities of Trivy's JSON, masked, with stable ids", async () => {
    const kept = { "trivy.json": JSON.stringify(trivy) }
    const files = await filesOf(kept, { reports: [...reports] })
    const report = check(containerScanning, files["gl-container-scanning.json"]) as {
      vulnerabilities: { id: string }[]
    }
    expect(report).toMatchObject({
      scan: { status: "success", scanner: { version: "0.74.0" }, start_time: "2026-11-25T20:00:00" },
      vulnerabilities: [
        {
          severity: "High",
          solution: "Update lodash to 4.17.21",
          description: "templates, and ***",
          identifiers: [{ type: "cve", value: "CVE-2021-23337" }],
          location: { operating_system: "debian 13.1", image: `harbor.example/shop/catalog@${digest}` },
        },
        { severity: "Unknown", identifiers: [{ type: "ghsa" }] },
      ],
    })
    const again = JSON.parse((await filesOf(kept))["gl-container-scanning.json"] ?? "") as typeof report
    expect(again.vulnerabilities.map((v) => v.id)).toEqual(report.vulnerabilities.map((v) => v.id))
  })
  it.each(["", "{", "[]", '{"Results":[{"Target":1}]}'])(
    "a scan that cannot be read (%j) lists nothing",
    async (text) => {
      const files = await filesOf({ "trivy.json": text, "sbom.cdx.json": text }, { status: "errored" })
      check(cyclonedx, files["bom.cdx.json"])
      expect(check(containerScanning, files["gl-container-scanning.json"])).toMatchObject({ vulnerabilities: [] })
    },
  )
  it("SBOM: the one that was kept; of several all components", async () => {
    const files = await filesOf({ "sbom.cdx.json": JSON.stringify(sbom) })
    expect(check(cyclonedx, files["bom.cdx.json"])).toEqual(sbom)
    const other = { ...sbom, components: [...sbom.components, { type: "library", name: "zod", "bom-ref": "b" }] }
    const kept = [sbom, other].map((bom, i) => ({
      step: {} as StepRecord,
      name: `${i}.cdx.json`,
      text: JSON.stringify(bom),
    }))
    const merged = jobSbom({ kept, maskJson: (value: unknown) => value } as never)
    expect(check(cyclonedx, JSON.stringify(merged))).toMatchObject({
      components: [{ name: "lodash" }, { name: "zod" }],
    })
  })
  it("SBOM: a version that GitLab does not read is written as the last one that it does", async () => {
    const later = {
      ...sbom,
      $schema: "http://cyclonedx.org/schema/bom-1.7.schema.json",
      specVersion: "1.7",
      citations: [],
      components: [{ ...sbom.components[0], isExternal: true }],
    }
    const text = (await filesOf({ "sbom.cdx.json": JSON.stringify(later) }))["bom.cdx.json"]
    expect(check(cyclonedx, text)).toEqual({ ...sbom, $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json" })
  })
  it("dotenv: one NAME=value a line, nothing else", async () => {
    const odd: Report = { kind: "image", reference: "a b\nX=1", digest }
    const text = (await filesOf({}, { reports: [...reports, odd] }))["job.env"] ?? ""
    expect(
      text
        .trimEnd()
        .split("\n")
        .every((line) => /^[A-Z_]+=\S+$/.test(line)),
    ).toBe(true)
    expect(text).toContain("GANTRY_URL=http://catalog.test:8080\n")
    expect(text).toContain(`GANTRY_DIGEST=${digest}\n`)
    expect(text).not.toContain("X=1")
  })
  it("summary: what a comment on a merge request needs, and not more", async () => {
    const files = await filesOf(
      {},
      {
        reports: [...reports],
        status: "failed",
        error: { code: "TESTS-RED", kind: "failed", message: "1 of 2", stack: "at x" },
      },
    )
    const summary = JobSummary.parse(JSON.parse(files["summary.json"] ?? ""))
    expect(summary.steps.map((s) => [s.id, s.status, s.seconds])).toEqual([
      ["catalog.unit-tests", "failed", 2],
      ["catalog.lint", "success", 2],
    ])
    expect(summary.steps[0]?.reports).toHaveLength(5)
    expect(files["summary.json"]).not.toContain("at x")
    expect(files["summary.json"]).not.toContain('"details"')
  })
  it("the page links to the files in the run's folder", async () => {
    const page = (await filesOf({ "junit/a.xml": junit }))["report.html"] ?? ""
    expect(page).toContain("./../../runs/gitlab-1/artifacts/catalog.unit-tests/junit/a.xml")
    expect(page).not.toContain("events.ndjson")
    expect(page).not.toContain("catalog.deploy")
  })
  it("a kept file that was changed is not read", async () => {
    const files = await filesOf(
      { "junit/a.xml": junit },
      {
        artifacts: [{ path: "artifacts/catalog.unit-tests/junit/a.xml", sha256: "0".repeat(64), size: 1 }],
      },
    )
    expect(files["junit.xml"]).not.toContain("is red")
  })
})
