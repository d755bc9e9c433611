import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { sonarSession } from "../../../../clients/sonarqube/index.js"
import type { Report } from "../../../../core/reports.js"
import { ServiceDeclaration, type Service } from "../../../../steps/service.js"
import { analyse, type AnalysisContext } from "../../../../steps/sonarqube/analyse.js"
import type { Analysis, Scanner } from "../../../../steps/sonarqube/scanner.js"
import type { Server } from "../../../../steps/sonarqube/server.js"
import { fakeSonarQube } from "../../../fakes/sonarqube.js"

const service: Service = {
  ...ServiceDeclaration.parse({
    name: "catalog",
    toolchain: { image: "node:22" },
    build: {},
    tests: {},
    sonar: { sources: ["src"], properties: { "sonar.exclusions": "src/x.js" } },
    health: {},
  }),
  path: "shop/catalog",
}

async function world(options: { readonly own?: boolean; readonly token?: string } = {}) {
  const fake = await fakeSonarQube()
  const folder = await mkdtemp(join(tmpdir(), "gantry-test-"))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await mkdir(join(folder, "shop/catalog/src"), { recursive: true })
  await writeFile(join(folder, "shop/catalog/src/app.js"), "export const a = 1\n")
  const token = options.token ?? "good"
  const server: Server = {
    session: sonarSession({ url: fake.url, credentials: { token }, policy: { attempts: 1, timeout: 2000 } }),
    own: options.own === false ? undefined : { lock: join(folder, "gate.lock") },
    url: fake.url,
    internalUrl: undefined,
    givenToken: options.own === false ? token : undefined,
  }
  const lines: string[] = []
  const reports: Report[] = []
  const masked: string[] = []
  const none = () => Promise.reject(new Error("there are no artifacts here"))
  const context: AnalysisContext = {
    run: { id: "R1", pipeline: "delivery", dir: folder, project: folder, commit: "c".repeat(40), dirty: false },
    step: "catalog.sonarqube",
    attempt: 1,
    artifacts: { put: none, putFolder: none, open: none },
    log: { info: (text) => lines.push(text), warn: (text) => lines.push(`warning: ${text}`), write: () => undefined },
    mask: (value) => masked.push(value),
    publish: (report) => reports.push(report),
    scratch: join(folder, "scratch"),
    signal: new AbortController().signal,
  }
  const scans: { readonly analysis: Analysis; readonly tokens: readonly string[] }[] = []
  const good: Scanner = {
    scan: (analysis) => {
      scans.push({ analysis, tokens: [...fake.tokens.keys()] })
      return Promise.resolve("ceTaskId=T1\n")
    },
  }
  const run = (scanner = good) =>
    analyse(context, server, scanner, {
      service,
      source: {
        commit: "c".repeat(40),
        tree: "t".repeat(40),
        dirty: false,
        author: { name: "Li Wei", email: "li.wei@example.com" },
        date: "2026-03-01T10:00:00+08:00",
        subject: "First",
        branch: "main",
        changed: [],
        services: {},
      },
      folder,
      tests: [],
      projectKey: "shop:catalog",
      now: new Date("2026-11-23T15:00:00Z"),
    })
  return { fake, run, scans, lines, reports, masked }
}

describe("an analysis", () => {
  it("has a token that can analyse this project alone, masked, and revoked afterwards", async () => {
    const { fake, run, scans, masked, reports } = await world()
    expect(await run()).toMatchObject({ status: "passed", analysisId: "A1", project: "shop:catalog" })
    expect(scans[0]?.tokens).toEqual(["gantry R1.catalog.sonarqube.1"])
    expect(masked).toEqual([scans[0]?.analysis.token])
    expect([...fake.tokens]).toEqual([])
    expect(fake.selected.get("shop:catalog")).toBe("Gantry")
    expect(scans[0]?.analysis.properties).toMatchObject({
      "sonar.projectKey": "shop:catalog",
      "sonar.scm.revision": "c".repeat(40),
      "sonar.exclusions": "src/x.js",
    })
    expect(reports.map((report) => report.kind)).toEqual(["quality-gate", "findings"])
  })

  it("makes the gate once when several are analysed at the same time", async () => {
    const { fake, run } = await world()
    // As they find a server that is new: the real one makes two gates of one name when it is asked twice at once.
    await Promise.all([run(), run(), run()])
    expect(fake.requests.filter((request) => request.endsWith("qualitygates/create"))).toHaveLength(1)
  })

  it("that the gate refuses is failed, and its reports are there", async () => {
    const { fake, run, reports } = await world()
    fake.gate = {
      status: "ERROR",
      conditions: [
        { status: "ERROR", metricKey: "coverage", comparator: "LT", errorThreshold: "50", actualValue: "12.0" },
      ],
    }
    await expect(run()).rejects.toMatchObject({ code: "SONAR-GATE", kind: "failed" })
    expect(reports[0]).toMatchObject({ kind: "quality-gate", status: "failed" })
    expect([...fake.tokens]).toEqual([])
  })

  it.each(["FAILED", "CANCELED"])(
    "whose task was %s is errored, and nothing is said about the code",
    async (status) => {
      const { fake, run, reports } = await world()
      fake.task = [{ status, errorMessage: "out of memory" }]
      await expect(run()).rejects.toMatchObject({ code: "SONAR-TASK", kind: "errored", reason: "out of memory" })
      expect(reports).toEqual([])
      expect([...fake.tokens]).toEqual([])
    },
  )

  it("whose scanner breaks leaves no token, and tells the scanner's error also when the server is gone", async () => {
    const { fake, run, lines } = await world()
    const broken: Scanner = { scan: () => Promise.reject(new Error("the scanner broke")) }
    await expect(run(broken)).rejects.toThrow("the scanner broke")
    expect([...fake.tokens]).toEqual([])
    fake.next("api/user_tokens/revoke", new Response(null, { status: 204 }), new Response(null, { status: 503 }))
    await expect(run({ scan: () => Promise.reject(new Error("broke again")) })).rejects.toThrow("broke again")
    expect(lines.join("\n")).toMatch(/warning: the token of this run could not be revoked/)
  })

  it("replaces the token that an interrupted attempt left", async () => {
    const { fake, run } = await world()
    fake.tokens.set("gantry R1.catalog.sonarqube.1", { type: "USER_TOKEN", project: undefined, expires: "" })
    await expect(run()).resolves.toMatchObject({ status: "passed" })
  })

  it("on a server of one's own changes no gate, and uses the given token where it may not make others", async () => {
    const { fake, run, scans, lines } = await world({ own: false, token: "plain" })
    await run()
    expect(scans[0]?.analysis.token).toBe("plain")
    expect(lines.join("\n")).toMatch(/warning: the configured token may not make others/)
    expect(fake.requests.filter((request) => request.includes("qualitygates/create"))).toEqual([])
    expect(fake.selected.size).toBe(0)
    // Community Build knows no branches.
    expect(scans[0]?.analysis.properties).not.toHaveProperty("sonar.branch.name")
  })
})
