import { randomBytes } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { credentialsAreValid, measures, sonarSession, tokenNames } from "../../../clients/sonarqube/index.js"
import type { FindingsReport, QualityGateReport } from "../../../core/reports.js"
import { ensureStack, sonarqubeAddress } from "../../../engine/index.js"
import { runCheckout } from "../../../steps/checkout/index.js"
import type { TestResult } from "../../../steps/outputs.js"
import { ServiceDeclaration, type Service } from "../../../steps/service.js"
import { sourceDir } from "../../../steps/source.js"
import { analyse } from "../../../steps/sonarqube/analyse.js"
import { scannerInContainer } from "../../../steps/sonarqube/scanner.js"
import { reachServer, type Server } from "../../../steps/sonarqube/server.js"
import { engine, realSession, stepContext } from "./engine.js"
import { temporaryRepository, type Repository } from "./repository.js"

const session = realSession()
const prefix = `gantry-test-${randomBytes(4).toString("hex")}`
let server: Server
/** Of runs of these tests that were killed: nobody could take them back. */
let before: readonly string[]

beforeAll(async () => {
  await ensureStack(engine, ["sonarqube"])
  server = await reachServer(engine, undefined, new AbortController().signal)
  before = await tokenNames(server.session)
})

afterAll(async () => {
  await server.session.send("api/projects/bulk_delete", {
    method: "POST",
    params: { q: prefix },
    repeatable: true,
    to: "remove the projects of the tests",
  })
})

/** What is analysed is tiny: it ends before the second compiler of the Java machine pays. */
const quick = { "sonar.scanner.javaOpts": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC" }

const service = ({ properties = {}, ...sonar }: Record<string, unknown> = {}): Service => ({
  ...ServiceDeclaration.parse({
    name: "tiny",
    toolchain: { image: "node:22-trixie-slim" },
    build: {},
    tests: {},
    sonar: { sources: ["src"], tests: ["test"], ...sonar, properties: { ...quick, ...(properties as object) } },
    health: {},
  }),
  path: "services/tiny",
})

const clean = `export function add(a, b) {
  return a + b
}
`
const files = {
  ".gitignore": ".gantry\n",
  "services/tiny/src/add.js": clean,
  "services/tiny/test/add.test.js":
    'import { add } from "../src/add.js"\nif (add(1, 2) !== 3) throw new Error("wrong")\n',
}
/** As vitest writes them in a container, with paths of that container. */
const lcov = "TN:\nSF:/src/services/tiny/src/add.js\nDA:1,1\nDA:2,1\nLF:2\nLH:2\nend_of_record\n"
const junit = `<testsuites><testsuite name="test/add.test.js"><testcase classname="test/add.test.js" name="adds" time="0.01"/></testsuite></testsuites>`

async function analysis(
  repo: Repository,
  commit: string,
  project: string,
  more: {
    readonly sonar?: Record<string, unknown>
    readonly coverage?: string
  } = {},
) {
  const context = { ...(await stepContext(repo, session(), "tiny.sonarqube", commit)), mask: () => undefined }
  const declared = service(more.sonar)
  const source = await runCheckout(context, [declared], {})
  const unit: TestResult = {
    suite: "tiny.unit-tests",
    total: 1,
    passed: 1,
    failed: 0,
    skipped: 0,
    seconds: 0.01,
    junit: [await context.artifacts.put("junit.xml", { text: junit })],
    coverageReports: [await context.artifacts.put("coverage", { text: more.coverage ?? lcov })],
  }
  const scanner = await scannerInContainer(context.dag, {
    engine,
    server,
    write: (chunk) => context.log.write(chunk),
    signal: context.signal,
  })
  const result = analyse(context, server, scanner, {
    service: declared,
    source,
    folder: await sourceDir(context.run, source),
    tests: [unit],
    projectKey: `${prefix}:${project}`,
    now: new Date(),
  })
  return { context, result }
}

const leftTokens = async () =>
  (await tokenNames(server.session)).filter((name) => name.includes("tiny.sonarqube") && !before.includes(name))

describe("SonarQube, for real", () => {
  it("does not let anybody in with the password that every new server has", async () => {
    const stranger = sonarSession({
      url: sonarqubeAddress(engine),
      credentials: { login: "admin", password: "admin" },
    })
    expect(await credentialsAreValid(stranger)).toBe(false)
    expect(await credentialsAreValid(server.session)).toBe(true)
  })

  it("passes clean code, then fails the commit that brings a bug, with the condition", async () => {
    const repo = await temporaryRepository()
    const first = await repo.commit("First", files)
    const good = await analysis(repo, first, "life")
    const gate = await shown(good)
    expect(gate).toMatchObject({ service: "tiny", status: "passed", project: `${prefix}:life` })
    expect(gate.url).toBe(`${sonarqubeAddress(engine)}/dashboard?id=${encodeURIComponent(`${prefix}:life`)}`)
    const report = good.context.reports.find((r): r is QualityGateReport => r.kind === "quality-gate")
    expect(report?.status).toBe("passed")
    // The gate looks at the whole also in a first analysis, which has no new code.
    expect(report?.conditions.map((c) => c.metric)).toContain("software_quality_security_rating")
    const values = await measures(server.session, `${prefix}:life`, ["coverage", "tests", "test_errors"])
    expect(values).toMatchObject({ coverage: "100.0", tests: "1" })

    const second = await repo.commit("A bug", {
      "services/tiny/src/add.js": `${clean}export function same(a) {\n  a = a\n  return a == a\n}\n`,
    })
    const bad = await analysis(repo, second, "life")
    await expect(bad.result).rejects.toMatchObject({
      code: "SONAR-GATE",
      kind: "failed",
      reason: expect.stringContaining("new_violations") as string,
    })
    const red = bad.context.reports.find((r): r is QualityGateReport => r.kind === "quality-gate")
    expect(red?.conditions[0]).toMatchObject({ metric: "new_violations", status: "failed" })
    const findings = bad.context.reports.find((r): r is FindingsReport => r.kind === "findings")
    expect(findings?.items.some((item) => item.location.startsWith("src/add.js:"))).toBe(true)
    expect(await leftTokens()).toEqual([])
  })

  it("is errored, not failed, when the scanner cannot analyse, and leaves no token", async () => {
    const repo = await temporaryRepository()
    const commit = await repo.commit("First", files)
    const { result } = await analysis(repo, commit, "broken", {
      sonar: { properties: { "sonar.sources": "src,no-such-folder" } },
    })
    await expect(result).rejects.toMatchObject({
      code: "SONAR-SCANNER",
      kind: "errored",
      reason: expect.stringContaining("no-such-folder") as string,
    })
    expect(await leftTokens()).toEqual([])
  })

  // With classes and JaCoCo's report both services of the shop are analysed in test/gitlab/delivery.test.ts.
  it("does not analyse Java without the classes that the tests kept: SonarQube would say nothing, and see less", async () => {
    const repo = await temporaryRepository()
    const java = "package shop;\n\npublic class Sum {\n  public int of(int a, int b) {\n    return a + b;\n  }\n}\n"
    const commit = await repo.commit("Java", {
      ".gitignore": ".gantry\n",
      "services/tiny/src/main/java/shop/Sum.java": java,
    })
    const coverage = `<report name="tiny"><package name="shop"><sourcefile name="Sum.java">
<line nr="3" mi="0" ci="3" mb="0" cb="0"/><line nr="5" mi="0" ci="4" mb="0" cb="0"/></sourcefile></package></report>`
    const sonar = { sources: ["src/main"], tests: [], properties: { "sonar.java.binaries": "target/classes" } }
    const { result } = await analysis(repo, commit, "java", { sonar, coverage })
    await expect(result).rejects.toMatchObject({ code: "SONAR-BINARIES", kind: "usage" })
  })

  it("does not take a coverage report of other files for 0 %", async () => {
    const repo = await temporaryRepository()
    const commit = await repo.commit("First", files)
    const { result } = await analysis(repo, commit, "coverage", { coverage: "SF:/other/a.js\nDA:1,1\nend_of_record\n" })
    await expect(result).rejects.toMatchObject({ code: "SONAR-COVERAGE", kind: "usage" })
  })

  it("ends at once when the run is interrupted, and leaves no token", async () => {
    const repo = await temporaryRepository()
    const commit = await repo.commit("First", files)
    const abort = new AbortController()
    const context = {
      ...(await stepContext(repo, session(), "tiny.sonarqube", commit, abort.signal)),
      mask: () => undefined,
    }
    const declared = service()
    const source = await runCheckout(context, [declared], {})
    const reached = await reachServer(engine, undefined, new AbortController().signal)
    const result = analyse(
      context,
      reached,
      { scan: () => interrupted(abort) },
      {
        service: declared,
        source,
        folder: await sourceDir(context.run, source),
        tests: [],
        projectKey: `${prefix}:interrupted`,
        now: new Date(),
      },
    )
    await expect(result).rejects.toThrow(/interrupted/)
    expect(await leftTokens()).toEqual([])
  })
})

/** A scanner that is still at work when the run is interrupted. */
async function interrupted(abort: AbortController): Promise<string> {
  abort.abort(new Error("interrupted"))
  await sleep(60_000, undefined, { signal: abort.signal }).catch(() => undefined)
  throw abort.signal.reason as Error
}

/** The scanner's words beside the message: a test that is red in CI has to say why. */
function shown<T>(run: {
  readonly result: Promise<T>
  readonly context: { readonly lines: readonly string[] }
}): Promise<T> {
  return run.result.catch((error: unknown) => {
    throw new Error([String(error), ...run.context.lines.slice(-60)].join("\n"), { cause: error })
  })
}
