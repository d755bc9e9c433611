import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { engineConfig } from "../../../engine/config.js"
import { recordRelease } from "../../../environments/history.js"
import { recordMigration } from "../../../environments/migrations/journal.js"
import { placeOf, releaseSpec, type EnvironmentDetail, type EnvironmentService } from "../../../environments/index.js"
import { environmentText } from "../../../cli/env-text.js"
import { makeProject } from "./rig.js"

/** What was deployed is known from the state on disk; there is no Docker Engine here, and nothing wants one. */
describe("gantry env, with a state and no Docker Engine", () => {
  let project: Awaited<ReturnType<typeof makeProject>>
  let env: Record<string, string>
  const gantry = (...args: string[]) => project.start(["env", ...args], env).ended

  beforeAll(async () => {
    project = await makeProject(
      {
        "gantry.config.ts": `export default { project: "shop", services: ["catalog"], engine: { docker: { host: "unix:///nowhere.sock" } } }\n`,
        "catalog/gantry.service.yaml": `name: catalog\ntoolchain: { image: "node:22" }\nbuild: {}\nhealth: {}\n`,
      },
      { keep: true },
    )
    const home = join(project.dir, ".gantry/home")
    env = { GANTRY_HOME: home }
    const place = (name: string) => placeOf({ project: "shop", engine: engineConfig.parse({ home }) }, name)
    for (const [name, config] of [
      ["test", "shop: { place: test, mail: { password: one } }\n"],
      ["prod", "shop: { place: prod, mail: { password: two } }\n"],
    ] as const) {
      const release = releaseSpec({
        service: "catalog",
        reference: `r/shop/catalog@sha256:${"ab".repeat(32)}`,
        digest: `sha256:${"ab".repeat(32)}`,
        commit: "c0ffee".padEnd(40, "0"),
        config,
        env: {},
        port: 8080,
        readiness: "/ready",
        startupSeconds: 1,
        calls: [],
        resources: {},
      })
      await recordRelease(place(name), "catalog", { release, replicas: 1, at: "2026-01-01T00:00:00Z" })
    }
    await recordMigration(place("test"), "catalog", {
      key: "k",
      content: "c",
      run: "m",
      digest: "sha256:1",
      commit: "c0ffee".padEnd(40, "0"),
      compatible: false,
      timeoutSeconds: 1,
      status: "done",
      startedAt: "2026-01-01T00:00:00Z",
      endedAt: "2026-01-01T00:00:01Z",
    })
  })
  afterAll(() => project.dispose())

  it("list has a row for each service and environment, DEV only when it is used", async () => {
    const { code, stdout } = await gantry("list")
    expect(code).toBe(0)
    expect(stdout.split("\n").map((line) => line.replace(/ +/g, " ").trim())).toEqual([
      "ENVIRONMENT SERVICE STATE READY COMMIT DIGEST CONFIG ADDRESS",
      expect.stringMatching(/^test catalog degraded 0\/2 c0ffee000000 sha256:abababababab [0-9a-f]{8} -$/),
      "uat catalog empty 0/2 - - - -",
      expect.stringMatching(/^prod catalog degraded 0\/3 c0ffee000000 /),
      "",
    ])
    const json = JSON.parse((await gantry("list", "--json")).stdout) as EnvironmentService[]
    expect(json.map((s) => s.environment)).toEqual(["test", "uat", "prod"])
  })

  it("show tells the last migration, and a missing environment by its nearest name", async () => {
    const { code, stdout, stderr } = await gantry("show", "test")
    // Whether somebody changed something, nobody knows: that is no "all is well".
    expect(code).toBe(3)
    expect(stderr).toContain("ENV-NO-DOCKER")
    expect(stdout).toContain("migration   done at 2026-01-01T00:00:01Z (commit c0ffee000000), not backwards compatible")
    expect(await gantry("show", "tset")).toMatchObject({ code: 2, stderr: expect.stringContaining("ENV-UNKNOWN") })
    expect(await gantry("show", "test", "catlog")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("catalog"),
    })
  })

  it("diff names keys, and shows no secret", async () => {
    const { code, stdout } = await gantry("diff", "test", "prod")
    expect(code).toBe(0)
    expect(stdout).toMatch(/catalog +config shop\.place +test +prod/)
    expect(stdout).toMatch(/catalog +config shop\.mail\.password +\*\*\* +\*\*\*/)
    expect(stdout).not.toMatch(/one|two/)
    expect((await gantry("diff", "test", "test")).stdout).toBe("Nothing differs between test and test\n")
  })

  it.each([
    [["settle", "test", "catalog", "maybe", "--reason", "x"], "USAGE-SETTLE"],
    [["settle", "test", "catalog", "done", "--reason", "x"], "MIGRATION-KNOWN"],
    [["settle", "test", "catalog", "done"], "--reason"],
  ])("%j is refused", async (args, said) => {
    expect(await gantry(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(said) })
  })
})

it("a rollout, what ran before and drift stand beneath their service, and what belongs to none at the end", () => {
  const drift = { what: "p-web-1", field: "memory", expected: "0", found: "64" }
  const detail = {
    environment: "test",
    services: [
      {
        environment: "test",
        service: "web",
        state: "running",
        replicas: { wanted: 1, ready: 1 },
        instances: [{ name: "p-web-1", digest: "sha256:1", ready: true, traffic: true, restarts: 2 }],
        strategy: "canary",
        rollout: {
          strategy: "canary",
          phase: "paused",
          step: 2,
          percent: 0,
          why: "no traffic",
          run: "r1",
          to: { digest: "sha256:2", commit: "c2" },
        },
        history: [
          { generation: 3, digest: "sha256:1", commit: "c1", at: "today" },
          { generation: 2, digest: "sha256:0", commit: "c0", at: "yesterday", refused: "5xx" },
        ],
        drift: [drift],
      },
    ],
    drift: [{ what: "stranger", field: "network", expected: "not in it", found: "p" }],
  } as unknown as EnvironmentDetail
  expect(environmentText(detail, {}).split("\n")).toEqual([
    "web in test: running, 1 of 1 ready",
    "  strategy    canary",
    "  rollout     canary of sha256:2 (commit c2): paused, step 2, 0 % of the traffic; no traffic; now: gantry promote|abort test --service web",
    "  earlier     2: sha256:0 (commit c0), yesterday; taken back: 5xx",
    "  instance    p-web-1 sha256:1, ready, with traffic, restarted 2 times",
    "  drift       p-web-1: memory is 64, expected 0",
    "",
    "test",
    "  drift       stranger: network is p, expected not in it",
  ])
})

it("a rollout that pauses says who is asked for what; one whose process is gone, how it goes on", () => {
  const rolloutOf = (phase: string, busy?: object) => {
    const rollout = { strategy: "canary", phase, step: 2, percent: 25, why: "few requests", run: "r-1" }
    const detail = {
      environment: "prod",
      services: [
        {
          environment: "prod",
          service: "web",
          state: "rollout",
          replicas: { wanted: 1, ready: 1 },
          rollout: { ...rollout, to: { reference: "r", digest: "sha256:1", commit: "c0ffee" } },
          instances: [],
          strategy: "canary",
          busy,
          history: [],
          drift: [],
        },
      ],
      drift: [],
    } as unknown as EnvironmentDetail
    return environmentText(detail, {}).split("\n")[2]
  }
  const where = "25 % of the traffic; few requests"
  expect(rolloutOf("paused")).toBe(
    `  rollout     canary of sha256:1 (commit c0ffee): paused, step 2, ${where}; now: gantry promote|abort prod --service web`,
  )
  expect(rolloutOf("shifting")).toMatch(/; now: gantry resume r-1$/)
  expect(rolloutOf("shifting", { what: "w", by: "b", since: "s" })).toMatch(/few requests$/)
})
