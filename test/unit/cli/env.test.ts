import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { engineConfig } from "../../../engine/config.js"
import { recordRelease } from "../../../environments/history.js"
import { recordMigration } from "../../../environments/migrations/journal.js"
import { memoryOf, releaseSpec, type EnvironmentDetail, type EnvironmentService } from "../../../environments/index.js"
import { environmentsText, environmentText, troubleLines } from "../../../cli/env-text.js"
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
    const notes = (name: string) =>
      memoryOf({ project: "shop", engine: engineConfig.parse({ home }), environments: {} }, name, "catalog").notes
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
      await recordRelease(notes(name), { release, replicas: 1, at: "2026-01-01T00:00:00Z" })
    }
    await recordMigration(notes("test"), {
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
    expect(await gantry("show", "tset")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("ENVIRONMENT-UNKNOWN"),
    })
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
    dependencies: [],
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
      dependencies: [],
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

describe("an environment on a cluster", () => {
  const cluster = {
    context: "prod-a",
    namespace: "shop-prod",
    exposed: "HTTPRoute of Gateway lab/public",
    shares: { blue: 90, green: 10 },
    autoscaler: { min: 2, max: 6, current: 3, desired: 4, trouble: "no figures" },
    events: [{ about: "Pod web-green-1", text: "Failed: no such image", at: "today" }],
    look: "kubectl --context prod-a -n shop-prod describe pod web-green-1",
  }
  const service = {
    environment: "prod",
    service: "web",
    state: "degraded",
    reachable: true,
    replicas: { wanted: 2, ready: 1 },
    url: "https://web.example",
    instances: [
      {
        name: "web-green-1",
        digest: "sha256:2",
        ready: false,
        traffic: true,
        restarts: 0,
        why: "ErrImagePull: no\nimage",
      },
    ],
    strategy: "rolling",
    history: [],
    drift: [],
    cluster,
  }
  const unknown = (environment: string, code: string) => ({
    ...service,
    environment,
    state: "unknown",
    reachable: false,
    url: undefined,
    trouble: { code, kind: "errored", message: "nobody answers" },
  })

  it("says where it is, how the traffic is shared, who scales it, and what is not well", () => {
    const detail = {
      environment: "prod",
      services: [service],
      dependencies: [],
      drift: [],
    } as unknown as EnvironmentDetail
    expect(environmentText(detail, {}).split("\n")).toEqual([
      "web in prod: degraded, 1 of 2 ready",
      "  address     https://web.example",
      "  cluster     context prod-a, namespace shop-prod",
      "  traffic     HTTPRoute of Gateway lab/public: blue 90 %, green 10 %",
      "  autoscaler  2 to 6 instances, has 3, wants 4; does not act: no figures",
      "  strategy    rolling",
      expect.stringMatching(/^ {2}instance {4}web-green-1 sha256:2, not ready, with traffic: ErrImagePull: no.*image$/),
      "  event       Pod web-green-1: Failed: no such image (today)",
      "  what now    kubectl --context prod-a -n shop-prod describe pod web-green-1",
    ])
  })

  it("one that does not answer has no figures, and its reason is told once for all that have it", () => {
    const all = [
      service,
      unknown("uat", "K8S-A"),
      unknown("uat", "K8S-A"),
      unknown("prod", "K8S-A"),
      unknown("x", "K8S-B"),
    ]
    const rows = environmentsText(all as unknown as EnvironmentService[], {}).split("\n")
    expect(rows.map((r) => r.replace(/ +/g, " ").trim()).slice(1, 3)).toEqual([
      "prod web degraded 1/2 - - - https://web.example",
      "uat web unknown - - - - -",
    ])
    expect(troubleLines(all as unknown as EnvironmentService[])).toEqual([
      "uat, prod: K8S-A: nobody answers",
      "x: K8S-B: nobody answers",
    ])
  })
})

it("what the services depend on stands behind them, with what is not ready and whether it is declared", () => {
  const cache = {
    ...{
      name: "cache",
      kind: "manifests",
      state: "degraded",
      declared: false,
      hash: "0123456789abcdef",
      commit: "c0ffee",
    },
    ...{ at: "2026-11-24T10:00:00.000Z", trouble: ["StatefulSet cache: 1 of 1 updated, 0 ready"] },
    drift: [{ what: "Service cache", field: "object", expected: "there", found: "none" }],
  }
  const detail = { environment: "test", services: [], dependencies: [cache], drift: [] } as unknown as EnvironmentDetail
  expect(environmentText(detail, {}).split("\n")).toEqual([
    "cache in test: degraded",
    "  dependency  manifests, not declared any more; it stays until somebody removes it",
    "  content     0123456789ab",
    "  commit      c0ffee",
    "  since       2026-11-24T10:00:00.000Z",
    "  trouble     StatefulSet cache: 1 of 1 updated, 0 ready",
    "  drift       Service cache: object is none, expected there",
  ])
})
