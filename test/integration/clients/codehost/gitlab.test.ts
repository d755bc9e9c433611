import { createServer } from "node:https"
import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { describe, expect, it, onTestFinished } from "vitest"
import { recordDeployments } from "../../../../ci/feedback/deployments.js"
import { gitlabHost } from "../../../../clients/codehost/gitlab/index.js"
import { fakeGitLab, job, mergeRequest, type FakeGitLab } from "../../../fakes/gitlab.js"
import { closedPort } from "../../../fakes/port.js"
import { deployment, step, summary } from "../../../unit/ci/feedback/samples.js"

const commit = "c".repeat(40)
const quick = { policy: { backoff: 1, attempts: 3 } }
const hostOf = (gitlab: FakeGitLab, tokens: Parameters<typeof gitlabHost>[1] = { project: "glpat-right" }) =>
  gitlabHost({ kind: "gitlab", url: gitlab.url, project: "heike/shop" }, tokens, quick)

const withReview = () => fakeGitLab({ mergeRequests: [mergeRequest({ commits: [commit] })] })

describe("what an error answer means", () => {
  it.each([
    ["an expired token", { status: 401, body: '{"error":"invalid_token","error_description":"Token is expired."}' }, "CODEHOST-DENIED", "usage", /Token is expired/, /new one/],
    ["401", { status: 401 }, "CODEHOST-DENIED", "usage", /401/, /GITLAB_TOKEN/],
    ["403", { status: 403 }, "CODEHOST-DENIED", "usage", /403/, /scope or a role/],
    ["404, as a private project answers", { status: 404 }, "CODEHOST-NOT-FOUND", "usage", /404/, /private project/],
    ["409, as a merge conflict is answered", { status: 409 }, "CODEHOST-CONFLICT", "failed", /409/, /conflicts/],
    ["422", { status: 422 }, "CODEHOST-REFUSED", "usage", /422/, /host's own word/],
    ["a login page", { status: 200, headers: { "content-type": "text/html" }, body: "<html><title>Sign in</title>" }, "CODEHOST-UNAVAILABLE", "errored", /"Sign in"/, /login page or a proxy/],
    ["no JSON", { status: 200, body: "ok" }, "CODEHOST-ANSWER", "errored", /not JSON: ok/, /./],
    ["JSON of another shape", { status: 200, body: '{"a":1}' }, "CODEHOST-ANSWER", "errored", /./, /./],
  ])("%s", async (_, mishap, code, kind, reason, hint) => {
    const gitlab = await withReview()
    gitlab.mishaps.push({ path: /merge_requests\/7$/, times: 99, ...mishap })
    const error = await hostOf(gitlab).review({ number: 7, commit }).catch((e: unknown) => e)
    expect(error).toMatchObject({ code, kind, reason: expect.stringMatching(reason) as string, hint: expect.stringMatching(hint) as string })
    expect(JSON.stringify(error)).not.toContain("glpat-right")
  }) // prettier-ignore

  it("a token that is really expired, wrong, or may only read", async () => {
    const gitlab = await withReview()
    gitlab.world.tokens.set("glpat-old", "expired").set("glpat-reads", "read_api")
    const ask = (token: string) => hostOf(gitlab, { project: token }).comment({ number: 7, marker: "m", body: "m" })
    await expect(ask("glpat-old")).rejects.toMatchObject({
      code: "CODEHOST-DENIED",
      reason: expect.stringContaining("expired") as string,
    })
    await expect(ask("glpat-wrong")).rejects.toMatchObject({ code: "CODEHOST-DENIED" })
    await expect(ask("glpat-reads")).rejects.toMatchObject({
      code: "CODEHOST-DENIED",
      hint: expect.stringContaining("scope") as string,
    })
    await expect(hostOf(gitlab, {}).review({ commit })).rejects.toMatchObject({
      code: "CODEHOST-TOKEN",
      hint: expect.stringContaining("GITLAB_TOKEN") as string,
    })
    const other = gitlabHost(
      { kind: "gitlab", url: gitlab.url, project: "heike/secret" },
      { project: "glpat-right" },
      quick,
    )
    await expect(other.review({ commit })).rejects.toMatchObject({ code: "CODEHOST-NOT-FOUND" })
  })
})

describe("what is tried again", () => {
  it("reads: 429 after the pause that it asks for, and 5xx", async () => {
    const gitlab = await withReview()
    const pauses: number[] = []
    gitlab.mishaps.push(
      { path: /approvals/, status: 429, headers: { "retry-after": "1" } },
      { path: /discussions/, status: 503, body: "<html>busy</html>", times: 2 },
    )
    const at = { kind: "gitlab" as const, url: gitlab.url, project: "42" }
    const policy = { backoff: 1, maxPause: 30, onRetry: (what: { pause: number }) => void pauses.push(what.pause) }
    const host = gitlabHost(at, { project: "glpat-right" }, { policy })
    await expect(host.review({ number: 7, commit })).resolves.toMatchObject({ number: 7 })
    expect([...pauses].sort((a, b) => a - b)).toEqual([1, 2, 30])
  })

  it("a host that stays down is errored, with its last words", async () => {
    const gitlab = await withReview()
    gitlab.mishaps.push({
      path: /./,
      status: 502,
      times: 99,
      headers: { "content-type": "text/html" },
      body: "<html><title>Bad gateway",
    })
    await expect(hostOf(gitlab).review({ number: 7, commit })).rejects.toMatchObject({
      code: "CODEHOST-UNAVAILABLE",
      kind: "errored",
      message: expect.stringContaining("3 attempts") as string,
    })
  })

  it("nobody answers", async () => {
    const gone = gitlabHost(
      { kind: "gitlab", url: `http://127.0.0.1:${await closedPort()}`, project: "42" },
      { project: "t" },
      quick,
    )
    await expect(gone.review({ commit })).rejects.toMatchObject({
      code: "CODEHOST-UNAVAILABLE",
      kind: "errored",
      reason: expect.stringContaining("ECONNREFUSED") as string,
    })
  })

  it("a comment whose answer was lost is not written again; one that was refused for now is", async () => {
    const gitlab = await withReview()
    const host = hostOf(gitlab)
    gitlab.mishaps.push({ method: "POST", path: /notes/, status: 429 })
    await expect(host.comment({ number: 7, marker: "<!-- m -->", body: "<!-- m --> one" })).resolves.toMatchObject({
      updated: false,
    })
    gitlab.world.mergeRequests[0]?.notes.splice(0)
    gitlab.mishaps.push({ method: "POST", path: /notes/, status: 502, after: true })
    await expect(host.comment({ number: 7, marker: "<!-- m -->", body: "<!-- m --> two" })).rejects.toMatchObject({
      code: "CODEHOST-UNAVAILABLE",
    })
    expect(gitlab.world.mergeRequests[0]?.notes).toHaveLength(1)
  })
})

describe("the one comment", () => {
  it("is written once, then updated in its place, on the second page of notes, too", async () => {
    const gitlab = await withReview()
    const [request] = gitlab.world.mergeRequests
    request?.notes.push(...Array.from({ length: 105 }, (_, id) => ({ id, by: "a", body: "remark", system: false })))
    const host = hostOf(gitlab)
    const write = (text: string) =>
      host.comment({ number: 7, marker: "<!-- gantry:delivery -->", body: `<!-- gantry:delivery -->\n${text}` })
    expect(await write("first")).toEqual({
      url: `${gitlab.url}/heike/shop/-/merge_requests/7#note_1005`,
      updated: false,
    })
    expect(await write("second")).toMatchObject({ updated: true })
    expect(await write("second")).toMatchObject({ updated: true })
    const own = request?.notes.filter((note) => note.body.includes("gantry:")) ?? []
    expect(own.map((note) => note.body)).toEqual(["<!-- gantry:delivery -->\nsecond"])
    expect(gitlab.requests.filter((line) => line.startsWith("PUT"))).toHaveLength(1)
  })
})

describe("statuses, deployments, files", () => {
  it("sets a status, replaces it, and takes one that is as it is to be for done", async () => {
    const gitlab = await fakeGitLab()
    const host = hostOf(gitlab)
    const set = (state: "running" | "success") =>
      host.setStatus({ commit, name: "gantry/checkout", state, pipeline: "77", description: "d".repeat(400) })
    await set("running")
    await set("running")
    await set("success")
    expect(gitlab.world.statuses).toEqual([
      { sha: commit, name: "gantry/checkout", state: "success", description: "d".repeat(255), url: null, pipeline: 77 },
    ])
  })

  it("a status leads to its page, and is set without one whose address GitLab does not take", async () => {
    const gitlab = await fakeGitLab()
    const host = hostOf(gitlab)
    const page = "https://gitlab.example/heike/shop/-/jobs/1"
    const set = (name: string, url: string) => host.setStatus({ commit, name, state: "running", url })
    await set("gantry/short", page)
    await set("gantry/long", page.padEnd(256, "0"))
    expect(gitlab.world.statuses.map((status) => [status.name, status.url])).toEqual([
      ["gantry/short", page],
      ["gantry/long", null],
    ])
  })

  it("records a deployment once, and leaves those of jobs alone", async () => {
    const gitlab = await fakeGitLab({
      jobs: [job({ id: 5, name: "catalog.deploy-test" })],
      deployments: [{ id: 1, environment: "test", sha: commit, status: "success", job: 5, approvals: [] }],
    })
    gitlab.world.tokens.set("job-5", { job: 5 })
    const host = hostOf(gitlab, { job: "job-5" })
    const told = { commit, ref: "main", tag: false, state: "success" as const }
    expect(await host.recordDeployment({ ...told, environment: "test" })).toBe("known")
    expect(await host.recordDeployment({ ...told, environment: "uat", state: "running" })).toBe("recorded")
    expect(await host.recordDeployment({ ...told, environment: "uat" })).toBe("recorded")
    expect(await host.recordDeployment({ ...told, environment: "uat" })).toBe("known")
    expect(gitlab.world.deployments.map((d) => [d.environment, d.status])).toEqual([["test", "success"], ["uat", "success"]]) // prettier-ignore
    expect(new Set(gitlab.credentials)).toEqual(new Set(["job-token: job-5"]))
  })

  it("takes no deployment for a branch that was deleted while its pipeline ran, and says so", async () => {
    const gitlab = await fakeGitLab({ deleted: ["feature"] })
    const deployed = step("catalog.deploy-test", [deployment("test")])
    const problems = await recordDeployments(hostOf(gitlab), summary([deployed]), { ref: "feature", tag: false })
    expect(problems).toEqual([expect.stringMatching(/^test: .*The branch or tag does not exist/)])
    expect(gitlab.world.deployments).toEqual([])
  })

  it("finds a file of a branch's latest pipeline that has it, one that waits at its gate included", async () => {
    const path = ".gantry/ci/feedback/summary.json"
    const gitlab = await fakeGitLab({
      pipelines: [
        { id: 1, ref: "main", sha: commit, status: "success" },
        { id: 2, ref: "main", sha: commit, status: "manual" },
        { id: 3, ref: "main", sha: commit, status: "running" },
        { id: 4, ref: "other", sha: commit, status: "success" },
      ],
      jobs: [
        job({ id: 10, name: "feedback", pipeline: 1, files: { [path]: '{"from":1}' } }),
        job({ id: 20, name: "feedback", pipeline: 2, files: { [path]: '{"from":2}' } }),
        job({ id: 30, name: "feedback", pipeline: 3 }),
        job({ id: 40, name: "feedback", pipeline: 4, files: { [path]: '{"from":4}' } }),
      ],
    })
    gitlab.world.tokens.set("job-10", { job: 10 })
    const file = { branch: "main", job: "feedback", path }
    expect(await hostOf(gitlab).branchFile(file)).toBe('{"from":2}')
    expect(await hostOf(gitlab).branchFile({ ...file, branch: "none" })).toBeUndefined()
    // A job token may ask for the latest successful one alone.
    expect(await hostOf(gitlab, { job: "job-10" }).branchFile(file)).toBe('{"from":1}')
    expect(await hostOf(gitlab).jobFile("40", path)).toBe('{"from":4}')
    expect(await hostOf(gitlab).jobFile("40", "other")).toBeUndefined()
  })
})

it("a token goes to no other host, though a file's address leads there", async () => {
  const gitlab = await fakeGitLab({ jobs: [job({ id: 5, files: { "a.txt": "x" } })] })
  const storage = await fakeGitLab()
  storage.mishaps.push({ path: /bucket/, status: 200, body: "kept elsewhere" })
  gitlab.mishaps.push({
    path: /artifacts/,
    status: 302,
    headers: { location: `${storage.url}/bucket/a.txt?signature=1` },
  })
  expect(await hostOf(gitlab).jobFile("5", "a.txt")).toBe("kept elsewhere")
  expect(storage.credentials).toEqual([undefined])
})

it("a certificate authority that is not trusted is said to be that, at once; one that the project names is trusted", async () => {
  const { key, cert, path } = await selfSigned()
  const json = { "content-type": "application/json" }
  const server = createServer({ key, cert }, (_, response) => response.writeHead(200, json).end("[]")).listen(
    0,
    "127.0.0.1",
  )
  await once(server, "listening")
  onTestFinished(() => void server.close())
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const host = gitlabHost({ kind: "gitlab", url, project: "1" }, { project: "t" }, quick)
  await expect(host.review({ commit })).rejects.toMatchObject({
    code: "CODEHOST-UNAVAILABLE",
    reason: expect.stringContaining("certificate authority is not trusted") as string,
  })
  const trusting = gitlabHost({ kind: "gitlab", url, project: "1", ca: path }, { project: "t" }, quick)
  await expect(trusting.review({ commit })).resolves.toBeUndefined()
})

async function selfSigned(): Promise<{ key: string; cert: string; path: string }> {
  const { execFileSync } = await import("node:child_process")
  const { mkdtempSync, readFileSync, rmSync } = await import("node:fs")
  const { tmpdir } = await import("node:os")
  const { join } = await import("node:path")
  const dir = mkdtempSync(join(tmpdir(), "gantry-test-ca-"))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const [key, cert] = [join(dir, "key.pem"), join(dir, "cert.pem")]
  execFileSync("openssl", ["req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "2", "-keyout", key, "-out", cert, "-subj", "/CN=gitlab.test", "-addext", "subjectAltName=IP:127.0.0.1"], { stdio: "ignore" }) // prettier-ignore
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8"), path: cert }
}
