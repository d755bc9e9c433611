import { readFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { extract } from "tar-stream"
import { describe, expect, it, onTestFinished } from "vitest"
import type { TestReport } from "../../../core/reports.js"
import { runCheckout } from "../../../steps/checkout/index.js"
import { ServiceDeclaration, type Service } from "../../../steps/service.js"
import { withEnvironment } from "../../../steps/tests/environment.js"
import { runSuite, type SuiteOptions } from "../../../steps/tests/suite.js"
import { engine, realSession, resolve, stepContext } from "./engine.js"
import { temporaryRepository } from "./repository.js"

const session = realSession()

const run = "node --test --test-reporter=junit --test-reporter-destination=reports/junit.xml test.mjs"
const head = 'import { test } from "node:test"; import assert from "node:assert";\n'

/** A service whose suite is plain Node: nothing has to be fetched. */
async function suite(
  files: Readonly<Record<string, string>>,
  declaration: { readonly suite?: Record<string, unknown>; readonly setup?: string; readonly inputs?: string[] } = {},
  more: Partial<SuiteOptions> = {},
) {
  const service: Service = {
    ...ServiceDeclaration.parse({
      name: "tiny",
      toolchain: {
        image: "node:22-trixie-slim",
        caches: [{ path: "/var/cache/tiny", key: ["lock"] }],
        env: { FROM_TOOLCHAIN: "yes" },
        setup: declaration.setup ?? "mkdir -p reports",
      },
      inputs: declaration.inputs ?? [],
      build: {},
      tests: { unit: { run, junit: ["reports/*.xml"], timeout: 60, ...declaration.suite } },
      health: {},
    }),
    path: "services/tiny",
  }
  const declared = service.tests.unit
  if (declared === undefined) throw new Error("declared above")
  const repo = await temporaryRepository()
  const inside = Object.fromEntries(
    Object.entries(files).map(([name, text]) => [name.startsWith("/") ? name.slice(1) : `services/tiny/${name}`, text]),
  )
  const commit = await repo.commit("First", { ".gitignore": ".gantry\n", ...inside })
  const context = await stepContext(repo, session(), "tiny.unit-tests", commit)
  const source = await runCheckout(context, [service], {})
  const result = runSuite(context, { engine, service, suite: declared, source, resolve, ...more })
  return { context, result }
}

describe("a suite in a container", () => {
  it("passes, streams its lines while it runs, and leaves JUnit, coverage and what it keeps", async () => {
    const { context, result } = await suite(
      {
        "test.mjs": `${head}import { readFileSync, mkdirSync, writeFileSync } from "node:fs";
test("sees its files and the declared inputs", () => {
  assert.equal(readFileSync("../../shared/lib.txt", "utf8"), "shared");
  assert.throws(() => readFileSync("../other/secret.txt"));
  assert.equal(process.env.FROM_TOOLCHAIN, "yes");
  assert.equal(process.env.OWN, "1");
});
test.skip("later", () => {});
test("writes", () => {
  writeFileSync("reports/lcov.info", "TN:\\nSF:a.js\\nDA:1,1\\nDA:2,0\\nDA:3,4\\nend_of_record\\n");
  mkdirSync("classes/sub", { recursive: true });
  writeFileSync("classes/sub/A.class", "bytes");
});`,
        "reports/old.xml": "<testsuite><testcase name='stale'><failure/></testcase></testsuite>",
        "/shared/lib.txt": "shared",
        "/services/other/secret.txt": "no",
      },
      {
        inputs: ["shared/**"],
        suite: {
          run: `echo first line; sleep 1.5; echo second line >&2; ${run}`,
          coverage: "reports/lcov.info",
          env: { OWN: "1" },
          keep: ["classes/**/*.class"],
        },
      },
    )
    let live: number | undefined
    let last = 0
    context.lines.push = (...lines: string[]) => {
      if (lines.includes("first line")) live = Date.now()
      last = Date.now()
      return Array.prototype.push.apply(context.lines, lines)
    }
    const output = await result
    expect(output).toMatchObject({
      suite: "tiny.unit-tests",
      total: 3,
      passed: 2,
      failed: 0,
      skipped: 1,
      coverage: 66.7,
    })
    expect(output.junit.map((a) => a.path)).toEqual(["artifacts/tiny.unit-tests/junit/reports/junit.xml"])
    expect(output.coverageReports).toHaveLength(1)
    expect(context.reports).toMatchObject([{ kind: "tests", total: 3, coverage: 66.7 }])
    expect(context.lines.filter((line) => line === "second line")).toHaveLength(1)
    expect(live).toBeDefined()
    expect(last - (live ?? 0)).toBeGreaterThan(1000)
    if (output.kept === undefined) throw new Error("nothing was kept")
    const names: string[] = []
    const tar = extract()
    tar.end(await readFile(await context.artifacts.open(output.kept)))
    for await (const entry of tar) {
      names.push(entry.header.name)
      entry.resume()
    }
    expect(names).toEqual(["classes/sub/A.class"])
  })

  it("is failed with the first failures when it is red, and has kept its JUnit file", async () => {
    const { context, result } = await suite({
      "test.mjs": `${head}test("adds", () => assert.equal(1 + 1, 3)); test("fine", () => {})`,
    })
    await expect(result).rejects.toMatchObject({
      code: "TESTS-RED",
      kind: "failed",
      message: "1 of 2 tests failed in tiny.unit-tests",
      reason: expect.stringContaining("adds") as string,
    })
    const report = context.reports[0] as TestReport
    expect(report).toMatchObject({ total: 2, failed: 1, passed: 1 })
    expect(report.failures[0]?.message).toMatch(/2 == 3/)
    expect(await readFile(`${context.run.dir}/artifacts/tiny.unit-tests/junit/reports/junit.xml`, "utf8")).toContain(
      "adds",
    )
  })

  it.each([
    ["nothing reported", { suite: { run: "true" } }, "TESTS-NONE", "failed", /No file matches/],
    [
      "it does not even compile",
      { suite: { run: "echo 'cannot find symbol' >&2; exit 1" } },
      "TESTS-NO-REPORT",
      "failed",
      /cannot find symbol/,
    ],
    ["all passed but the command says no", { suite: { run: `${run}; exit 3` } }, "TESTS-EXIT", "failed", /./],
    [
      "it hangs",
      { suite: { run: "echo waiting for godot; sleep 60", timeout: 2 } },
      "TESTS-TIMEOUT",
      "errored",
      /waiting for godot/,
    ],
    ["it was killed", { suite: { run: "echo working; kill -9 $$" } }, "EXEC-KILLED", "errored", /working/],
    [
      "its report was cut off",
      { suite: { run: "echo '<testsuite><testcase' > reports/x.xml" } },
      "TESTS-REPORT-BROKEN",
      "errored",
      /x\.xml/,
    ],
    ["there is no such command", { suite: { run: "no-such-tool test" } }, "TESTS-COMMAND", "usage", /not found/],
    ["its setup fails", { setup: "echo registry down; exit 7" }, "TESTS-SETUP", "errored", /registry down/],
  ])("says what happened when %s", async (_what, declaration, code, kind, reason) => {
    const { result } = await suite({ "test.mjs": `${head}test("fine", () => {})` }, declaration)
    await expect(result).rejects.toMatchObject({ code, kind, reason: expect.stringMatching(reason) as string })
  })

  it("runs again in the next run although nothing changed: a red result is never a cached one", async () => {
    const repo = await temporaryRepository()
    const commit = await repo.commit("First", { ".gitignore": ".gantry\n", "test.mjs": `${head}test("t", () => {})` })
    const service: Service = {
      ...ServiceDeclaration.parse({
        name: "tiny",
        toolchain: { image: "node:22-trixie-slim" },
        build: {},
        tests: {
          unit: { run: `cat /proc/sys/kernel/random/uuid; mkdir -p reports; ${run}; exit 1`, junit: ["reports/*.xml"] },
        },
        health: {},
      }),
      path: ".",
    }
    const uuids = new Set<string>()
    for (let i = 0; i < 2; i++) {
      const context = await stepContext(repo, session(), "tiny.unit-tests", commit)
      const source = await runCheckout(context, [service], {})
      const options = { engine, service, suite: service.tests.unit as never, source, resolve }
      await expect(runSuite(context, options)).rejects.toMatchObject({ code: "TESTS-EXIT" })
      for (const line of context.lines) if (/^[0-9a-f]{8}-/.test(line)) uuids.add(line)
    }
    expect(uuids.size).toBe(2)
  })

  it("gives an integration suite a MariaDB of its own that accepts connections", async () => {
    const { result } = await suite(
      {
        "test.mjs": `${head}import { connect } from "node:net";
test("greets as MariaDB", async () => {
  const greeting = await new Promise((resolve, reject) => {
    const socket = connect(Number(process.env.DB_PORT), process.env.DB_HOST);
    socket.once("data", (data) => { socket.destroy(); resolve(data.toString("latin1")) }).once("error", reject);
  });
  assert.match(greeting, /MariaDB/);
  assert.ok(process.env.DB_NAME && process.env.DB_USER && process.env.DB_PASSWORD);
});`,
      },
      { suite: { services: { db: "mariadb" } } },
    )
    expect(await result).toMatchObject({ passed: 1 })
  })

  it("reaches an environment's load balancer on the host's loopback", async () => {
    const server = createServer((_request, response) => response.end("catalog of TEST")).listen(0, "127.0.0.1")
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once("listening", resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const deployment = {
      environment: "test",
      service: "tiny",
      digest: `sha256:${"0".repeat(64)}`,
      commit: "c",
      url,
      replicas: 1,
      configHash: "",
      unchanged: false,
    }
    const { result } = await suite(
      {
        "test.mjs": `${head}test("answers", async () => {
  assert.equal(await (await fetch(process.env.BASE_URL + "/health")).text(), "catalog of TEST");
  assert.equal(process.env.GANTRY_ENVIRONMENT, "test");
  assert.equal(process.env.GANTRY_COMMIT, "abc");
  assert.equal(process.env.PRICE_LIST_URL, "https://prices.example/v1");
});`,
      },
      {},
      {
        prepare: (container, dag) =>
          withEnvironment(container, dag, deployment, "abc", { "price-list": "https://prices.example/v1/" }),
      },
    )
    expect(await result).toMatchObject({ passed: 1 })
  })

  it("stops waiting when the run is cancelled", async () => {
    const repo = await temporaryRepository()
    const commit = await repo.commit("First", { ".gitignore": ".gantry\n", "a.txt": "" })
    const service: Service = {
      ...ServiceDeclaration.parse({
        name: "tiny",
        toolchain: { image: "node:22-trixie-slim" },
        build: {},
        tests: { unit: { run: "echo started; sleep 300", junit: ["*.xml"], timeout: 400 } },
        health: {},
      }),
      path: ".",
    }
    const controller = new AbortController()
    const context = await stepContext(repo, session(), "tiny.unit-tests", commit, controller.signal)
    const write = context.log.write
    const log = {
      ...context.log,
      write: (chunk: string) => {
        write(chunk)
        if (chunk.includes("started")) controller.abort(new Error("interrupted"))
      },
    }
    const source = await runCheckout(context, [service], {})
    const started = Date.now()
    const options = { engine, service, suite: service.tests.unit as never, source, resolve }
    await expect(runSuite({ ...context, log }, options)).rejects.toThrow("interrupted")
    expect(Date.now() - started).toBeLessThan(60_000)
  })
})
