import { readdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { signStatement, type Approver, type Statement } from "../../../approvals/index.js"
import { removeTemplates } from "../../unit/steps/gate/world.js"
import { fakeGitLab, job, mergeRequest, type FakeJob } from "../../fakes/gitlab.js"
import { approvers, pipelineWorld } from "./gate-world.js"

afterAll(removeTemplates)

/** A pipeline 77 whose gate nobody has played yet. */
async function world(prod?: Record<string, unknown>, more?: readonly Approver[]) {
  const gitlab = await fakeGitLab()
  const jobs = await pipelineWorld({ kind: "gitlab", url: gitlab.url, project: "42" }, "gitlab-77", prod, more)
  gitlab.world.pipelines.push({ id: 77, ref: "main", sha: jobs.commit, status: "running" })
  let id = 100
  /** Somebody plays (or retries) the gate: its job runs, and leaves what it left. */
  const play = async (user: string, env: Record<string, string> = {}) => {
    const played: FakeJob = job({ id: ++id, user, status: "running" })
    gitlab.world.jobs.push(played)
    gitlab.world.tokens.set(`job-${played.id}`, { job: played.id })
    const info = await jobs.workTree()
    const { approval, ...said } = await jobs.gate(info, {
      CI_JOB_ID: String(played.id),
      CI_JOB_TOKEN: `job-${played.id}`,
      ...env,
    })
    // It is looked at later.
    approval.catch(() => undefined)
    const end = async () => {
      const result = await approval.catch((e: unknown) => e as Error)
      played.status = result instanceof Error ? "failed" : "success"
      played.finished = new Date().toISOString()
      const path = jobs.statementPath("play", String(played.id), user)
      const text = await readFile(join(info.project, path), "utf8").catch(() => undefined)
      if (text !== undefined) played.files[path] = text
      return result
    }
    return { info, played, approval, end, ...said }
  }
  /** A play that ends before anything else happens. */
  const decided = async (user: string, env: Record<string, string> = {}) => {
    const one = await play(user, env)
    return { ...one, result: await one.end() }
  }
  return { gitlab, jobs, play, decided }
}

const two = { approvals: { required: 2 } }

describe("the gate in GitLab", () => {
  it("passes when an approver who is no author plays it, and the rollout verifies that again", async () => {
    const { gitlab, jobs, decided } = await world()
    const one = await decided("lin", { GANTRY_REASON: "release 2.4" })
    expect(one.result).toMatchObject({ decision: "approved", by: "Lin Release", reason: "release 2.4" })
    expect(one.reports).toMatchObject([{ kind: "approval", decision: "approved", by: "Lin Release" }])
    expect(one.masked).toEqual(["glpat-right", "job-101"])
    const [file] = (await readdir(join(one.info.dir, "approvals/gate"))).filter((name) => name.startsWith("statement"))
    expect(JSON.parse(await readFile(join(one.info.dir, "approvals/gate", file ?? ""), "utf8"))).toMatchObject({
      via: { host: "gitlab", url: gitlab.url, project: "42", pipeline: "77", how: "play", job: "101", user: "lin" },
    })
    const prod = await jobs.workTree(one.info)
    await expect(jobs.verify(prod, one.result as never)).resolves.toBeUndefined()
    expect(gitlab.requests.filter((line) => line.includes("include_retried=true"))).toHaveLength(2)
  })

  it("a play without a reason says which play it was", async () => {
    const { decided } = await world()
    expect((await decided("LIN")).result).toMatchObject({ reason: "play 101 at GitLab, without a word" })
  })

  it.each([
    ["somebody who is no approver", "mallory", "GATE-NOT-APPROVER", /user name "mallory"/, /lin, wang, zhao/],
    ["the author of the commit", "zhao", "GATE-AUTHOR", /author of the commit/, /Somebody else/],
  ])("refuses %s", async (_, user, code, reason, hint) => {
    const { decided, jobs } = await world()
    const one = await decided(user)
    expect(one.result).toMatchObject({
      code,
      kind: "failed",
      reason: expect.stringMatching(reason) as string,
      hint: expect.stringMatching(hint) as string,
    })
    const files = await readdir(join(one.info.dir, "approvals/gate"))
    expect(files).toEqual(["evidence.json"])
    expect(jobs.commit).toMatch(/^[0-9a-f]{40}$/)
  })

  it("refuses the author of the merge request, though git names another author", async () => {
    const { gitlab, jobs, decided } = await world()
    gitlab.world.mergeRequests.push(mergeRequest({ commits: [jobs.commit], state: "merged", author: "Lin" }))
    expect((await decided("lin")).result).toMatchObject({
      code: "GATE-AUTHOR",
      reason: "Lin Release is the author of the merge request",
    })
    gitlab.world.mergeRequests.splice(0, 1, mergeRequest({ commits: [jobs.commit], state: "closed", author: "lin" }))
    expect((await decided("lin")).result).toMatchObject({ decision: "approved" })
  })

  it("refuses a role that the environment does not ask for", async () => {
    const { decided } = await world({ approvals: { roles: ["operations"] } })
    expect((await decided("lin")).result).toMatchObject({
      code: "GATE-ROLE",
      reason: expect.stringContaining("asks for operations") as string,
    })
    expect((await decided("wang")).result).toMatchObject({ decision: "approved" })
  })

  it("takes a no: GANTRY_DECISION=reject, an author's too, and it stands against later plays and for the rollout", async () => {
    const { jobs, decided, gitlab } = await world()
    const yes = await decided("lin")
    expect(yes.result).toMatchObject({ decision: "approved" })
    const no = await decided("zhao", { GANTRY_DECISION: "reject", GANTRY_REASON: "the cart is broken" })
    expect(no.result).toMatchObject({ code: "GATE-REJECTED", kind: "failed", reason: "the cart is broken" })
    expect((await decided("wang")).result).toMatchObject({ code: "GATE-REJECTED" })
    // The rollout has the files of the first play alone, and finds the no at GitLab.
    const prod = await jobs.workTree(yes.info)
    await expect(jobs.verify(prod, yes.result as never)).rejects.toMatchObject({
      code: "GATE-UNPROVEN",
      kind: "failed",
      reason: "Zhao Author rejected it: the cart is broken",
    })
    expect(gitlab.world.jobs.map((one) => one.status)).toEqual(["success", "failed", "failed"])
  })

  it("decides nothing on a decision that it does not know", async () => {
    const { decided } = await world()
    expect((await decided("lin", { GANTRY_DECISION: "maybe" })).result).toMatchObject({
      code: "GATE-DECISION",
      kind: "usage",
    })
  })
})

describe("several approvals", () => {
  it("wait for a second person, with what is missing said", async () => {
    const { jobs, decided } = await world(two)
    const first = await decided("lin")
    expect(first.result).toMatchObject({
      code: "GATE-WAITING",
      kind: "waiting",
      message: "Waiting for a person to decide about prod",
      reason: expect.stringContaining("Approved so far by Lin Release. May approve: Wang Ops") as string,
      hint: expect.stringContaining("retries this job") as string,
    })
    const second = await decided("wang")
    expect(second.result).toMatchObject({ decision: "approved", by: "Lin Release, Wang Ops" })
    await expect(jobs.verify(await jobs.workTree(second.info), second.result as never)).resolves.toBeUndefined()
  })

  it("two plays of one person count once", async () => {
    const { decided } = await world(two)
    await decided("lin")
    expect((await decided("lin")).result).toMatchObject({
      code: "GATE-WAITING",
      reason: expect.stringContaining("Approved so far by Lin Release.") as string,
    })
  })

  it("two plays at once: neither sees the other, and whoever plays next does", async () => {
    const { play, decided } = await world(two)
    const [a, b] = [await play("lin"), await play("wang")]
    const [first, second] = [await a.approval.catch((e: unknown) => e), await b.approval.catch((e: unknown) => e)]
    expect([first, second]).toMatchObject([{ code: "GATE-WAITING" }, { code: "GATE-WAITING" }])
    expect(b.lines.join("\n")).toContain("the play of lin (job 101) left no decision: it still runs")
    await a.end()
    await b.end()
    expect((await decided("lin")).result).toMatchObject({ decision: "approved", by: "Lin Release, Wang Ops" })
  })

  it("a forged statement in the artifacts of somebody's play does not count", async () => {
    const { gitlab, jobs, decided } = await world(two)
    const first = await decided("lin")
    const path = jobs.statementPath("play", "101", "lin")
    const honest = first.played.files[path] ?? ""
    // Mallory played; her job's artifacts hold a statement that says it was Wang.
    const forged = honest
      .replaceAll("lin@shop.example", "wang@shop.example")
      .replaceAll("Lin Release", "Wang Ops")
      .replaceAll("release-manager", "operations")
      .replace('"101"', '"150"')
      .replace('"user": "lin"', '"user": "wang"')
    gitlab.world.jobs.push(
      job({
        id: 150,
        user: "mallory",
        files: {
          [jobs.statementPath("play", "150", "mallory")]: forged,
          [jobs.statementPath("play", "150", "wang")]: forged,
        },
      }),
    )
    const again = await decided("lin")
    expect(again.result).toMatchObject({ code: "GATE-WAITING" })
    expect(again.lines.join("\n")).toContain("mallory (play 150 at GitLab) is not an approver")
  })
})

describe("the rollout in GitLab", () => {
  const approved = async () => {
    const w = await world()
    const one = await w.decided("lin")
    const prod = await w.jobs.workTree(one.info)
    const path = join(prod.dir, "approvals/gate", `statement-play-101-lin.json`)
    // Whoever can change artifacts changes what the rollout is given, and what it can fetch.
    const edit = async (change: (statement: Record<string, unknown>) => unknown) => {
      const text = JSON.stringify(change(JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>))
      await writeFile(path, text)
      one.played.files[w.jobs.statementPath("play", "101", "lin")] = text
    }
    return { ...w, prod, approval: one.result as never, edit }
  }

  it.each([
    ["a play of somebody else", async (a: Awaited<ReturnType<typeof approved>>) => void ((a.gitlab.world.jobs[0] as FakeJob).user = "mallory"), /GitLab knows no play 101 by lin/],
    ["a play that GitLab does not know", async (a: Awaited<ReturnType<typeof approved>>) => void a.gitlab.world.jobs.splice(0), /GitLab knows no play 101 by lin/],
    ["a job that only waits to be played, and is listed with whoever pushed", async (a: Awaited<ReturnType<typeof approved>>) => void ((a.gitlab.world.jobs[0] as FakeJob).started = null), /GitLab knows no play/],
    ["a play of another job", async (a: Awaited<ReturnType<typeof approved>>) => void a.gitlab.world.jobs.splice(0, 1, job({ id: 101, name: "checkout", user: "lin" })), /GitLab knows no play/],
    ["a play in a pipeline of another commit", async (a: Awaited<ReturnType<typeof approved>>) => void a.gitlab.world.pipelines.splice(0, 1, { id: 77, ref: "main", sha: "d".repeat(40), status: "running" }), /is about commit dddddddddddd/],
    ["a statement of another pipeline", (a: Awaited<ReturnType<typeof approved>>) => a.edit((s) => ({ ...s, via: { ...(s["via"] as object), pipeline: "76" } })), /it is of pipeline 76/],
    ["a statement that names another GitLab", (a: Awaited<ReturnType<typeof approved>>) => a.edit((s) => ({ ...s, via: { ...(s["via"] as object), url: "https://gitlab.evil" } })), /it is of another gitlab/],
    ["a statement that was dated later, to last longer", (a: Awaited<ReturnType<typeof approved>>) => { (a.gitlab.world.jobs[0] as FakeJob).started = "2026-01-01T00:00:00Z"; (a.gitlab.world.jobs[0] as FakeJob).finished = "2026-01-01T00:05:00Z" }, /it is dated/],
    ["a statement without the play, and without a signature", (a: Awaited<ReturnType<typeof approved>>) => a.edit(({ via: _, ...s }) => s), /only what the code host confirms counts/],
  ])("refuses %s", async (_, change, reason) => {
    const a = await approved()
    await change(a)
    await expect(a.jobs.verify(a.prod, a.approval)).rejects.toMatchObject({ code: "GATE-UNPROVEN", kind: "failed", reason: expect.stringMatching(reason) as string })
  }) // prettier-ignore

  it("deploys nothing without an answer: unreachable is errored, a refused token is not", async () => {
    const a = await approved()
    a.gitlab.mishaps.push({ path: /./, status: 503, times: 99 })
    await expect(a.jobs.verify(a.prod, a.approval)).rejects.toMatchObject({
      code: "GATE-UNPROVEN",
      kind: "errored",
      reason: expect.stringContaining("503") as string,
    })
    a.gitlab.mishaps.splice(0)
    await expect(a.jobs.verify(a.prod, a.approval, { GITLAB_TOKEN: "glpat-wrong" })).rejects.toMatchObject({
      code: "GATE-UNPROVEN",
      kind: "failed",
    })
    await expect(a.jobs.verify(a.prod, a.approval, { GITLAB_TOKEN: "" })).rejects.toMatchObject({
      code: "GATE-UNPROVEN",
      hint: expect.stringContaining("GITLAB_TOKEN") as string,
    })
  })

  it("an approval that ran out does not count", async () => {
    const a = await approved()
    await expect(a.jobs.verify(a.prod, a.approval, {}, new Date(Date.now() + 25 * 3_600_000))).rejects.toMatchObject({
      reason: expect.stringContaining("expired") as string,
    })
  })

  it("a signature counts where no play does", async () => {
    const { generateKeyPairSync } = await import("node:crypto")
    const { publicKey, privateKey } = generateKeyPairSync("ed25519")
    const pem = (key: typeof publicKey, type: "spki" | "pkcs8") => key.export({ type, format: "pem" }).toString()
    const [first, ...others] = approvers as [Approver, ...Approver[]]
    const w = await world(undefined, [{ ...first, publicKey: pem(publicKey, "spki") }, ...others])
    const one = await w.decided("wang")
    const prod = await w.jobs.workTree(one.info)
    const path = join(prod.dir, "approvals/gate/statement-play-101-wang.json")
    const { via: _, ...statement } = JSON.parse(await readFile(path, "utf8")) as Statement
    const mine = { ...statement, by: first.name, email: first.email, role: first.role }
    await writeFile(path, JSON.stringify(signStatement(mine, pem(privateKey, "pkcs8"))))
    await expect(w.jobs.verify(prod, one.result as never)).resolves.toBeUndefined()
  })
})

describe("what GitLab cannot say", () => {
  it("a gate is errored, not passed, when GitLab does not answer", async () => {
    const { gitlab, decided } = await world()
    gitlab.mishaps.push({ path: /pipelines/, status: 502, times: 99 })
    expect((await decided("lin")).result).toMatchObject({ code: "CODEHOST-UNAVAILABLE", kind: "errored" })
  })

  it("a gate that cannot learn the authors of the change does not pass", async () => {
    const { gitlab, decided } = await world()
    gitlab.mishaps.push({ path: /merge_requests/, status: 403, times: 99 })
    expect((await decided("lin")).result).toMatchObject({ code: "CODEHOST-DENIED" })
  })

  it("a job that says it is another's play is found out by its token", async () => {
    const { gitlab, decided } = await world()
    gitlab.world.jobs.push(job({ id: 90, user: "lin" }))
    gitlab.world.tokens.set("job-stolen", { job: 90 })
    const one = await decided("mallory", { CI_JOB_ID: "90" })
    expect(one.result).toMatchObject({ code: "GATE-NOT-APPROVER" })
  })

  it("a job outside of the pipeline, or one that is not the gate, decides nothing", async () => {
    const { gitlab, jobs } = await world()
    gitlab.world.jobs.push(job({ id: 5, name: "checkout", user: "lin" }))
    const { approval } = await jobs.gate(await jobs.workTree(), { CI_JOB_ID: "5" })
    await expect(approval).rejects.toMatchObject({
      code: "GATE-UNPROVEN",
      reason: expect.stringContaining("Job 5 is not among") as string,
    })
  })
})

describe("deployment approvals, where the tier has them", () => {
  it("count like plays, each person once, and a rejection there stands", async () => {
    const { gitlab, jobs, decided } = await world(two)
    const first = await decided("lin")
    expect(first.result).toMatchObject({ code: "GATE-WAITING" })
    const approvals = [
      { user: "wang", status: "approved" as const, at: new Date().toISOString(), comment: "looks good" },
    ]
    gitlab.world.deployments.push({
      id: 9,
      environment: "prod",
      sha: jobs.commit,
      status: "blocked",
      job: 101,
      approvals,
    })
    const second = await decided("lin")
    expect(second.result).toMatchObject({
      by: "Lin Release, Wang Ops",
      reason: expect.stringContaining("looks good") as string,
    })
    const prod = await jobs.workTree(second.info)
    await expect(jobs.verify(prod, second.result as never)).resolves.toBeUndefined()
    // Of a job behind the gate: its yes is not about the gate's evidence, its no counts.
    const rollout = { id: 10, environment: "prod", sha: jobs.commit, status: "blocked", job: 300 }
    gitlab.world.jobs.push(job({ id: 300, name: "catalog.rollout-prod", started: null }))
    const at = new Date().toISOString()
    gitlab.world.deployments.push({ ...rollout, approvals: [{ user: "lin", status: "approved", at, comment: "" }] })
    await expect(jobs.verify(prod, second.result as never)).resolves.toBeUndefined()
    gitlab.world.deployments[1]?.approvals.push({ user: "zhao", status: "rejected", at, comment: "wait" })
    await expect(jobs.verify(prod, second.result as never)).rejects.toMatchObject({
      reason: "Zhao Author rejected it: wait",
    })
    gitlab.world.deployments.splice(1)
    await rm(join(prod.dir, "approvals/gate/statement-deployment-10-zhao.json"))
    approvals.splice(0, 1)
    gitlab.world.deployments[0]?.approvals.push({
      user: "wang",
      status: "rejected",
      at: new Date().toISOString(),
      comment: "no",
    })
    await expect(jobs.verify(prod, second.result as never)).rejects.toMatchObject({
      code: "GATE-UNPROVEN",
      reason: "Wang Ops rejected it: no",
    })
  })
})
