import { describe, expect, it } from "vitest"
import {
  createToken,
  credentialsAreValid,
  ensureGate,
  usableName,
  ensureProject,
  gateChanges,
  gateStatus,
  openIssues,
  revokeToken,
  sonarSession,
  systemStatus,
  waitForTask,
} from "../../../../clients/sonarqube/index.js"
import { fakeSonarQube } from "../../../fakes/sonarqube.js"

const policy = { attempts: 3, backoff: 1, timeout: 2000 }

async function connected(credentials: { token: string } | { login: string; password: string } = { token: "good" }) {
  const server = await fakeSonarQube()
  return { server, session: sonarSession({ url: `${server.url}/`, credentials, policy }) }
}
const page = (status: number, type = "text/html") =>
  new Response("<html><body><h1>Please log in</h1></body></html>", { status, headers: { "content-type": type } })

describe("the client of SonarQube", () => {
  it("asks again after 503, 429 and a lost connection, and then answers", async () => {
    const { server, session } = await connected()
    server.next("api/system/status", page(503), new Response(null, { status: 429, headers: { "retry-after": "0" } }))
    expect((await systemStatus(session)).status).toBe("UP")
    server.next("api/system/status", "hang up")
    expect((await systemStatus(session)).version).toBe("26.9.0.129388")
    expect(server.requests).toHaveLength(5)
  })

  it("gives up as errored, with the address and what was said", async () => {
    const { server, session } = await connected()
    server.next("api/system/status", page(500), page(500), page(500))
    await expect(systemStatus(session)).rejects.toMatchObject({
      code: "SONAR-UNAVAILABLE",
      kind: "errored",
      reason: expect.stringContaining("500") as string,
    })
    const nobody = sonarSession({ url: "http://127.0.0.1:1", policy })
    await expect(systemStatus(nobody)).rejects.toMatchObject({ code: "SONAR-UNAVAILABLE", kind: "errored" })
  })

  it("does not repeat what must not be done twice", async () => {
    const { server, session } = await connected()
    server.next("api/user_tokens/generate", page(503))
    await expect(createToken(session, "t", { expires: "2026-11-25", project: "p" })).rejects.toMatchObject({
      code: "SONAR-UNAVAILABLE",
    })
    expect(server.requests).toEqual(["POST api/user_tokens/generate"])
    server.next("api/user_tokens/revoke", page(503))
    await revokeToken(session, "t")
    expect(server.requests).toHaveLength(3)
  })

  it.each([
    ["a page", page(200), /not JSON: <html>/],
    ["half of it", new Response('{"status":"U'), /not JSON/],
    ["another shape", new Response('{"status":"UP"}'), /version/],
    ["nothing", new Response(""), /not JSON/],
  ])("does not take %s for an answer", async (_name, answer, reason) => {
    const { server, session } = await connected()
    server.next("api/system/status", answer)
    await expect(systemStatus(session)).rejects.toMatchObject({
      code: "SONAR-ANSWER",
      kind: "errored",
      reason: expect.stringMatching(reason) as string,
    })
  })

  it("tells credentials that are wrong from ones that may not", async () => {
    const { session } = await connected({ token: "revoked" })
    expect(await credentialsAreValid(session)).toBe(false)
    await expect(ensureProject(session, "shop:catalog", "catalog")).rejects.toMatchObject({
      code: "SONAR-UNAUTHORIZED",
      kind: "errored",
    })
    const { server: other, session: allowed } = await connected()
    other.next("api/projects/create", page(403))
    await expect(ensureProject(allowed, "shop:catalog", "catalog")).rejects.toMatchObject({
      code: "SONAR-FORBIDDEN",
      reason: expect.stringContaining("Please log in") as string,
    })
  })

  it("never puts a secret into an address", async () => {
    const { server, session } = await connected()
    await createToken(session, "a name", { expires: "2026-11-25", project: "shop:catalog" })
    expect(server.requests).toEqual(["POST api/user_tokens/generate"])
    expect(server.tokens.get("a name")).toEqual({
      type: "PROJECT_ANALYSIS_TOKEN",
      project: "shop:catalog",
      expires: "2026-11-25",
    })
  })

  it("makes a project once, also when another run was quicker", async () => {
    const { server, session } = await connected()
    expect(await ensureProject(session, "shop:catalog", "catalog")).toBe("created")
    expect(await ensureProject(session, "shop:catalog", "catalog")).toBe("existed")
    // Not there when asked, there when made.
    server.next("api/components/search", new Response('{"components":[]}'))
    expect(await ensureProject(session, "shop:catalog", "catalog")).toBe("existed")
  })

  it("brings a quality gate to exactly the wanted conditions, and then leaves it alone", async () => {
    const { server, session } = await connected()
    const wanted = [
      { metric: "new_coverage", op: "LT", error: "80" },
      { metric: "new_violations", op: "GT", error: "0" },
    ] as const
    expect(await ensureGate(session, "Gantry", wanted)).toEqual({ name: "Gantry", changed: true })
    expect(server.gates.get("Gantry")?.map((one) => one.metric)).toEqual(["new_coverage", "new_violations"])
    const before = server.requests.length
    expect(await ensureGate(session, "Gantry", wanted)).toEqual({ name: "Gantry", changed: false })
    expect(server.requests.length - before).toBe(2)
  })

  it.each([
    [[], "Gantry"],
    [["Sonar way", "Gantry"], "Gantry"],
    [["Gantry", "Gantry"], "Gantry 2"],
    [["Gantry", "Gantry", "Gantry 2"], "Gantry 2"],
    [["Gantry", "Gantry", "Gantry 2", "Gantry 2"], "Gantry 3"],
  ])("of the gates %j uses one that the server can tell from others: %s", (listed, name) => {
    expect(usableName(listed, "Gantry")).toBe(name)
  })

  it("compares thresholds as numbers", () => {
    const existing = [{ id: "1", metric: "coverage", op: "LT", error: "80.0" }]
    expect(gateChanges(existing, [{ metric: "coverage", op: "LT", error: "80" }])).toEqual({ remove: [], add: [] })
    const stricter = { metric: "coverage", op: "LT", error: "90" } as const
    expect(gateChanges(existing, [stricter])).toEqual({ remove: ["1"], add: [stricter] })
  })
})

describe("waiting for the compute task", () => {
  const options = { timeout: 2000, interval: 1 }

  it("ends with the analysis", async () => {
    const { server, session } = await connected()
    server.task = [{ status: "PENDING" }, { status: "IN_PROGRESS" }, { status: "SUCCESS", analysisId: "A7" }]
    const seen: string[] = []
    const task = await waitForTask(session, "T1", { ...options, onProgress: (status) => seen.push(status) })
    expect(task.analysisId).toBe("A7")
    expect(seen).toEqual(["PENDING", "IN_PROGRESS"])
  })

  it.each(["FAILED", "CANCELED"])("is errored, not failed, when it was %s", async (status) => {
    const { server, session } = await connected()
    server.task = [{ status, errorMessage: "Fail to process issues" }]
    await expect(waitForTask(session, "T1", options)).rejects.toMatchObject({ code: "SONAR-TASK", kind: "errored" })
  })

  it("has an end, and can be interrupted", async () => {
    const { server, session } = await connected()
    server.task = [{ status: "PENDING" }]
    await expect(waitForTask(session, "T1", { timeout: 20, interval: 5 })).rejects.toMatchObject({
      code: "SONAR-TASK-TIMEOUT",
      kind: "errored",
    })
    const abort = new AbortController()
    const interrupted = sonarSession({ url: server.url, credentials: { token: "good" }, signal: abort.signal, policy })
    const waiting = waitForTask(interrupted, "T1", {
      timeout: 60_000,
      interval: 60_000,
      onProgress: () => abort.abort(),
    })
    await expect(waiting).rejects.toThrow(/abort/i)
  })
})

describe("what the server says about an analysis", () => {
  it("reads conditions, and refuses states that it does not know", async () => {
    const { server, session } = await connected()
    server.gate = {
      status: "ERROR",
      conditions: [
        { status: "ERROR", metricKey: "new_coverage", comparator: "LT", errorThreshold: "80", actualValue: "12.5" },
      ],
    }
    expect((await gateStatus(session, "A1")).conditions[0]?.actualValue).toBe("12.5")
    server.gate = { status: "MAYBE" }
    await expect(gateStatus(session, "A1")).rejects.toMatchObject({ code: "SONAR-ANSWER", kind: "errored" })
  })

  it("lists issues of both modes", async () => {
    const { server, session } = await connected()
    server.issues = [
      {
        rule: "javascript:S1994",
        component: "p:src/app.js",
        line: 30,
        message: "This loop …",
        severity: "CRITICAL",
        impacts: [{ softwareQuality: "MAINTAINABILITY", severity: "HIGH" }],
      },
      { rule: "old:rule", component: "p", message: "No line", severity: "MINOR" },
    ]
    const { total, issues } = await openIssues(session, "p")
    expect(total).toBe(2)
    expect(issues[1]?.impacts).toEqual([])
  })
})
