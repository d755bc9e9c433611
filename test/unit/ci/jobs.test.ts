import { mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { Artifact } from "../../../core/artifacts.js"
import { branch } from "../../../core/condition.js"
import { allowFailure } from "../../../core/decorators.js"
import { fault } from "../../../core/errors.js"
import { jobsOf } from "../../../core/jobs.js"
import { pipeline } from "../../../core/pipeline.js"
import { listRuns, readRun } from "../../../core/store.js"
import { step } from "../../../core/step.js"
import { runPipeline, temporaryProject, thrown } from "../core/rig.js"
import { commit, key, runJob } from "./rig.js"

const host = { engine: false, cache: false } as const

interface Sealed {
  readonly step: object
  readonly seal: object
  readonly [name: string]: unknown
}

/** A small delivery: a source, tests, an image whose archive stays in its job, a deployment, a gate and a rollout. */
function delivery(world: { deployed: string[] } = { deployed: [] }) {
  const source = step("source", { ...host, output: z.string(), run: async () => "tree-1" })
  const lint = step("lint", {
    ...host,
    when: branch("main"),
    after: [source],
    output: z.string(),
    run: async () => "tidy",
  })
  const tests = step("tests", {
    ...host,
    needs: { source },
    after: [lint],
    output: z.object({ report: Artifact, total: z.number() }),
    run: async ({ artifacts, log, publish }) => {
      log.info("2 tests")
      publish({ kind: "tests", suite: "tests", total: 2, passed: 2, failed: 0, skipped: 0, seconds: 1, failures: [] })
      return { report: await artifacts.put("junit/a.xml", { text: "<testsuites/>" }), total: 2 }
    },
  })
  const image = step("image", {
    ...host,
    needs: { source },
    output: z.object({ digest: z.string(), archive: Artifact }),
    run: async ({ artifacts }) => ({
      digest: "sha256:1",
      archive: await artifacts.put("image.tar", { text: "layers" }),
    }),
  })
  const push = step("push", {
    ...host,
    needs: { image },
    after: [tests],
    output: z.string(),
    run: async ({ needs, artifacts }) => {
      await readFile(await artifacts.open(needs.image.archive))
      return needs.image.digest
    },
  })
  const deploy = step("deploy", {
    engine: false,
    needs: { push, tests },
    output: z.object({ digest: z.string(), tests: z.number() }),
    effect: {
      key: ({ needs }) => `deploy:${needs.push}`,
      retry: { attempts: 1 },
      reconcile: async ({ needs }) =>
        world.deployed.includes(needs.push) ? { digest: needs.push, tests: needs.tests.total } : undefined,
    },
    run: async ({ needs, artifacts }) => {
      await readFile(await artifacts.open(needs.tests.report))
      world.deployed.push(needs.push)
      return { digest: needs.push, tests: needs.tests.total }
    },
  })
  return {
    source,
    lint,
    tests,
    image,
    push,
    deploy,
    all: pipeline("delivery", { targets: [deploy], jobs: { package: [image, push] } }),
  }
}

/** All jobs of a pipeline, each in a fresh folder with the artifacts of the jobs that it needs. */
async function runJobs(all: ReturnType<typeof delivery>["all"], facts = { branch: "main" }) {
  const folders = new Map<string, string>()
  const outcomes: Record<string, unknown> = {}
  for (const { name, needs, steps } of jobsOf(all)) {
    if (steps.every((s) => s.when !== undefined) && facts.branch !== "main") continue // GitLab makes no job of it.
    const from = needs.flatMap((need) => folders.get(need) ?? [])
    const done = await runJob({ pipeline: all, job: name, from, facts })
    folders.set(name, done.project)
    for (const s of steps) outcomes[s.id] = { status: done.step(s.id)?.status, output: done.step(s.id)?.output }
  }
  return { folders, outcomes }
}

describe("a pipeline as separate jobs", () => {
  it.each(["main", "feature"])("comes to what one process comes to, on branch %s", async (name) => {
    const one = await runPipeline(delivery().all, { facts: { branch: name }, commit })
    const { outcomes } = await runJobs(delivery().all, { branch: name })
    for (const s of one.record.steps) {
      if (s.status === "skipped") continue
      expect(outcomes[s.id]).toEqual({ status: s.status, output: s.output })
    }
  })
  it("takes over what it needs, carries it on and runs nothing else", async () => {
    const { all } = delivery()
    const { folders } = await runJobs(all)
    const last = folders.get("deploy") ?? ""
    const record = await readRun(openStoreOf(last), "gitlab-1")
    expect(record.steps.map((s) => [s.id, s.status])).toEqual(all.steps.map((s) => [s.id, "success"]))
    expect(record.steps.find((s) => s.id === "tests")?.reports).toHaveLength(1)
    expect(await listRuns(openStoreOf(last))).toEqual(["gitlab-1"])
    // Records of all that came before lie in its artifacts, for whoever needs it.
    for (const s of all.steps) {
      await readFile(join(last, ".gantry/runs/gitlab-1/steps", s.id, "sealed.json"))
    }
  })
  it("a step of a group is named by its job, its id or its end", async () => {
    const { all } = delivery()
    const { folders } = await runJobs(all)
    const done = await runJob({
      pipeline: all,
      job: "push",
      from: [folders.get("source") ?? "", folders.get("tests") ?? ""],
      facts: { branch: "main" },
    })
    expect(done.statuses).toMatchObject({ image: "success", push: "success", deploy: "pending" })
    expect((await thrown(() => runJob({ pipeline: all, job: "pakage" }))).message).toContain('did you mean "package"')
  })
})

describe("records that do not count", () => {
  const sourceAndTests = async () => {
    const { all } = delivery()
    const source = await runJob({ pipeline: all, job: "source" })
    return { all, source }
  }
  const next = async (
    setUp: (job: Awaited<ReturnType<typeof runJob>>) => Promise<void>,
    options: Partial<Parameters<typeof runJob>[0]> = {},
  ) => {
    const { all, source } = await sourceAndTests()
    await setUp(source)
    return thrown(() =>
      runJob({ pipeline: all, job: "tests", from: [source.project], facts: { branch: "other" }, ...options }),
    )
  }
  const edit = (change: (record: Sealed) => unknown) => async (job: Awaited<ReturnType<typeof runJob>>) => {
    const path = job.sealed("source")
    await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, "utf8")) as Sealed)))
  }
  it.each<[string, (record: Sealed) => unknown]>([
    ["an output that was changed", (r) => ({ ...r, step: { ...r.step, output: "tree-2" } })],
    ["a status that was changed", (r) => ({ ...r, step: { ...r.step, status: "skipped" } })],
    ["a member that was added", (r) => ({ ...r, more: true })],
    ["a commit that was changed", (r) => ({ ...r, commit: "0".repeat(40) })],
    ["a seal of other text", (r) => ({ ...r, seal: { ...r.seal, value: "0".repeat(64) } })],
    ["a seal that is none", (r) => ({ ...r, seal: { algorithm: "none", value: "" } })],
    ["no seal", ({ seal: _, ...r }) => r],
    ["a record of another schema", (r) => ({ ...r, schema: 2 })],
    ["a list", () => []],
    ["nothing", () => null],
  ])("%s", async (_, change) => {
    expect(await next(edit(change))).toMatchObject({ code: "RECORD-FORGED", kind: "failed" })
  })
  it("what is not JSON, and a folder in its place", async () => {
    expect(await next((job) => writeFile(job.sealed("source"), "{"))).toMatchObject({ code: "RECORD-FORGED" })
    const folder = async (job: Awaited<ReturnType<typeof runJob>>) => {
      await rm(job.sealed("source"))
      await mkdir(job.sealed("source"))
    }
    expect(await next(folder)).toMatchObject({ code: "RECORD-FORGED" })
  })
  it("one that is missing: nothing is run", async () => {
    const error = await next((job) => rm(job.sealed("source")))
    expect(error).toMatchObject({ code: "RECORD-MISSING", kind: "usage" })
    expect(error.message).toContain("source")
  })
  it("one of another pipeline of the same commit, one of another commit, one of another key", async () => {
    const { all, source } = await sourceAndTests()
    const from = [source.project]
    const replay = async (options: Partial<Parameters<typeof runJob>[0]>) =>
      thrown(() => runJob({ pipeline: all, job: "tests", from, facts: { branch: "other" }, ...options }))
    // Another pipeline looks in the folder of its own run: there is nothing.
    expect(await replay({ run: "gitlab-2" })).toMatchObject({ code: "RECORD-MISSING" })
    expect(await replay({ commit: "1".repeat(40) })).toMatchObject({ code: "RECORD-FORGED" })
    expect(await replay({ key: "another key of enough length" })).toMatchObject({ code: "RECORD-FORGED" })
  })
  it("one that was put into the folder of another pipeline's run", async () => {
    const { all, source } = await sourceAndTests()
    const project = await temporaryProject()
    const other = await runJob({ pipeline: all, job: "source", project, run: "gitlab-2" })
    await writeFile(other.sealed("source"), await readFile(source.sealed("source")))
    const error = await thrown(() =>
      runJob({ pipeline: all, job: "tests", project, run: "gitlab-2", facts: { branch: "other" } }),
    )
    expect(error).toMatchObject({ code: "RECORD-FORGED" })
    expect(error.reason).toContain("gitlab-1")
  })
  it("a record of one step in the place of another", async () => {
    const { all } = delivery()
    const { folders } = await runJobs(all)
    const tests = folders.get("tests") ?? ""
    const place = (id: string) => join(tests, ".gantry/runs/gitlab-1/steps", id, "sealed.json")
    await writeFile(place("source"), await readFile(place("tests")))
    const error = await thrown(() =>
      runJob({ pipeline: all, job: "package", from: [tests], facts: { branch: "main" } }),
    )
    expect(error).toMatchObject({ code: "RECORD-FORGED", reason: expect.stringContaining("record of tests") as string })
  })
  it("one without a key where this job has one, and the other way round", async () => {
    const { all } = delivery()
    const plain = await runJob({ pipeline: all, job: "source", key: undefined })
    const facts = { branch: "other" }
    const ok = await runJob({ pipeline: all, job: "tests", from: [plain.project], key: undefined, facts })
    expect(ok.statuses["tests"]).toBe("success")
    const error = await thrown(() => runJob({ pipeline: all, job: "tests", from: [plain.project], facts }))
    expect(error).toMatchObject({ code: "RECORD-UNSEALED", kind: "usage" })
    const sealed = await runJob({ pipeline: all, job: "source" })
    const noKey = await thrown(() =>
      runJob({ pipeline: all, job: "tests", from: [sealed.project], key: undefined, facts }),
    )
    expect(noKey.hint).toContain("protect the branch")
  })
  it("without a key nothing passes a gate, and nothing runs behind one", async () => {
    const source = step("source", { ...host, run: async () => undefined })
    const gate = step("gate", { ...host, gate: true, after: [source], run: async () => undefined })
    const rollout = step("rollout", { ...host, after: [gate], run: async () => undefined })
    const all = pipeline("p", { targets: [rollout] })
    const first = await runJob({ pipeline: all, job: "source", key: undefined })
    for (const job of ["gate", "rollout"]) {
      const error = await thrown(() => runJob({ pipeline: all, job, from: [first.project], key: undefined }))
      expect(error).toMatchObject({ code: "RECORD-UNSEALED" })
      expect(error.message).toContain("GANTRY_RECORD_KEY is missing")
    }
    // A plain seal does not do either, when only this job has the key.
    expect(await thrown(() => runJob({ pipeline: all, job: "gate", from: [first.project] }))).toMatchObject({
      code: "RECORD-UNSEALED",
    })
  })
  it("a journal that was left in the work tree opens no gate", async () => {
    const gate = step("gate", {
      ...host,
      gate: true,
      run: () => Promise.reject(fault({ code: "W", kind: "waiting", message: "?" })),
    })
    const all = pipeline("p", { targets: [gate] })
    const first = await runJob({ pipeline: all, job: "gate" })
    expect(first.record.status).toBe("waiting")
    const journal = join(first.dir, "events.ndjson")
    const forged = {
      type: "step-finished",
      step: "gate",
      status: "success",
      cached: false,
      at: new Date().toISOString(),
    }
    await writeFile(journal, (await readFile(journal, "utf8")) + JSON.stringify(forged) + "\n")
    const again = await runJob({ pipeline: all, job: "gate", project: first.project })
    expect(again.record.status).toBe("waiting")
  })
  it("one of a job that had another pipeline", async () => {
    const before = pipeline("delivery", { targets: [step("tests", { ...host, run: async () => undefined })] })
    const made = await runJob({ pipeline: before, job: "tests" })
    const source = step("source", { ...host, run: async () => undefined })
    const tests = step("tests", { ...host, after: [source], run: async () => undefined })
    const deploy = step("deploy", { ...host, after: [tests], run: async () => undefined })
    const after = pipeline("delivery", { targets: [deploy] })
    expect(await thrown(() => runJob({ pipeline: after, job: "deploy", from: [made.project] }))).toMatchObject({
      code: "RUN-PIPELINE-CHANGED",
    })
  })
  it("an artifact that was changed on the way makes the step that opens it errored", async () => {
    const world = { deployed: [] as string[] }
    const { all } = delivery(world)
    const { folders } = await runJobs(all)
    world.deployed.length = 0
    const tests = folders.get("tests") ?? ""
    await rm(join(tests, ".gantry/runs/gitlab-1/artifacts/tests/junit/a.xml"))
    await writeFile(join(tests, ".gantry/runs/gitlab-1/artifacts/tests/junit/a.xml"), "<forged/>")
    const from = [folders.get("source"), folders.get("package"), tests].flatMap((folder) => folder ?? [])
    const done = await runJob({ pipeline: all, job: "deploy", from, facts: { branch: "main" } })
    expect(done.step("deploy")).toMatchObject({ status: "errored", error: { code: "ARTIFACT-TAMPERED" } })
  })
})

describe("what came before did not succeed", () => {
  const red = (kind: "failed" | "errored" | "waiting", decorate: "plain" | "allowed" = "plain") => {
    const gate = kind === "waiting" ? { gate: true } : {}
    const made = step("first", {
      ...host,
      ...gate,
      run: () => Promise.reject(fault({ code: "NO", kind, message: "no" })),
    })
    const first = decorate === "allowed" ? allowFailure(made) : made
    const second = step("second", { ...host, after: [first], run: async () => undefined })
    const third = step("third", { ...host, after: [second], run: async () => undefined })
    return pipeline("p", { targets: [third] })
  }
  it.each([
    ["failed", "failed"],
    ["errored", "failed"],
    ["waiting", "waiting"],
  ] as const)("%s: a job that was started all the same does nothing and is %s", async (kind, status) => {
    const all = red(kind)
    const first = await runJob({ pipeline: all, job: "first" })
    expect(first.record.status).toBe(kind)
    const second = await runJob({ pipeline: all, job: "second", from: [first.project] })
    expect(second.record.status).toBe(status)
    expect(second.step("second")?.status).toBe(kind === "waiting" ? "pending" : "skipped")
    if (kind === "waiting") return
    const third = await runJob({ pipeline: all, job: "third", from: [second.project] })
    expect(third.record.status).toBe("failed")
    expect(third.step("third")?.reason).toBe(`not run: first ${kind}`)
  })
  it("allowed to fail: the next job runs", async () => {
    const all = red("failed", "allowed")
    const first = await runJob({ pipeline: all, job: "first" })
    const second = await runJob({ pipeline: all, job: "second", from: [first.project] })
    expect(second.record.status).toBe("success")
  })
  it("a step whose condition does not hold has no job and no record: it counts as skipped", async () => {
    const { all } = delivery()
    const source = await runJob({ pipeline: all, job: "source", facts: { branch: "feature" } })
    const tests = await runJob({ pipeline: all, job: "tests", from: [source.project], facts: { branch: "feature" } })
    expect(tests.step("lint")).toMatchObject({
      status: "skipped",
      reason: expect.stringContaining("only on branch main") as string,
    })
    expect(tests.record.status).toBe("success")
  })
})

describe("a job that is tried again", () => {
  it("in the same folder goes on: success stays, the rest runs", async () => {
    let broken = true
    let made = 0
    const a = step("a", { ...host, output: z.number(), run: async () => ++made })
    const b = step("b", {
      ...host,
      needs: { a },
      run: async () => {
        if (broken) throw fault({ code: "NET", kind: "errored", message: "no network" })
      },
    })
    const all = pipeline("p", { targets: [b], jobs: { both: [a, b] } })
    const first = await runJob({ pipeline: all, job: "both" })
    expect(first.record.status).toBe("errored")
    broken = false
    const second = await runJob({ pipeline: all, job: "both", project: first.project })
    expect(second.record.status).toBe("success")
    expect(made).toBe(1)
    // Without the journal, with the records alone, as a cache or an artifact brings them.
    broken = true
    const third = await runJob({ pipeline: all, job: "both", from: [first.project] })
    expect(third.record.status).toBe("success")
    expect(made).toBe(1)
  })
  it("does again what lacks its artifacts", async () => {
    let made = 0
    const image = step("image", {
      ...host,
      output: Artifact,
      run: ({ artifacts }) => artifacts.put("image.tar", { text: `layers ${++made}` }),
    })
    const all = pipeline("p", { targets: [image] })
    const first = await runJob({ pipeline: all, job: "image" })
    await runJob({ pipeline: all, job: "image", from: [first.project] })
    expect(made).toBe(2)
  })
  it.each(["fresh folder", "same folder"])("does again what is older than what it read (%s)", async (where) => {
    let source = 0
    const a = step("a", { ...host, output: z.number(), run: async () => ++source })
    const b = step("b", { ...host, needs: { a }, output: z.number(), run: async ({ needs }) => needs.a * 10 })
    const all = pipeline("p", { targets: [b] })
    const first = await runJob({ pipeline: all, job: "a" })
    const second = await runJob({ pipeline: all, job: "b", from: [first.project] })
    expect(second.step("b")?.output).toBe(10)
    const again = await runJob({ pipeline: all, job: "a" })
    // The record of the first job, done again, replaces the old one.
    const third = await runJob({
      pipeline: all,
      job: "b",
      ...(where === "same folder"
        ? { project: second.project, from: [again.project] }
        : { from: [second.project, again.project] }),
    })
    expect(third.step("b")?.output).toBe(20)
  })
  it("looks at the target first: an effect that had taken place is not repeated", async () => {
    const world = { deployed: ["sha256:1"] }
    const { all } = delivery(world)
    const { folders } = await runJobs(all)
    expect(world.deployed).toEqual(["sha256:1"])
    const deployed = await readRun(openStoreOf(folders.get("deploy") ?? ""), "gitlab-1")
    expect(deployed.steps.find((s) => s.id === "deploy")).toMatchObject({
      status: "success",
      reason: "reconciled: the effect had taken place",
      output: { digest: "sha256:1", tests: 2 },
    })
  })
  it("an effect that did not take place is done", async () => {
    const world = { deployed: [] as string[] }
    await runJobs(delivery(world).all)
    expect(world.deployed).toEqual(["sha256:1"])
  })
  it("refuses a folder with records of another commit", async () => {
    const { all } = delivery()
    const first = await runJob({ pipeline: all, job: "source" })
    const error = await thrown(() =>
      runJob({ pipeline: all, job: "source", project: first.project, commit: "2".repeat(40), key: undefined }),
    )
    expect(["RUN-OTHER-COMMIT", "RECORD-UNSEALED", "RECORD-FORGED"]).toContain(error.code)
  })
})

describe("secrets", () => {
  it("are masked in records, sealed or not, and in those that another job takes over", async () => {
    const value = "hunter2-hunter2"
    const a = step("a", {
      ...host,
      secrets: ["TOKEN"],
      output: z.string(),
      run: async ({ secrets, log }) => {
        log.info(`token ${secrets.TOKEN.plaintext()}`)
        return `with ${secrets.TOKEN.plaintext()}`
      },
    })
    const told = step("told", { ...host, output: z.string(), run: async () => `said ${value}` })
    const b = step("b", { ...host, needs: { a, told }, secrets: ["TOKEN"], run: async () => undefined })
    const all = pipeline("p", { targets: [b] })
    const env = { TOKEN: value }
    const first = await runJob({ pipeline: all, job: "a", env })
    // A job without the secret cannot know that it is one; the job that has it masks what it takes over.
    const second = await runJob({ pipeline: all, job: "told" })
    const third = await runJob({ pipeline: all, job: "b", from: [first.project, second.project], env })
    for (const name of [
      "events.ndjson",
      "run.json",
      "steps/b/sealed.json",
      "steps/a/sealed.json",
      "steps/told/result.json",
    ]) {
      expect(await readFile(join(third.dir, name), "utf8"), name).not.toContain("hunter2")
    }
    expect(third.step("told")?.output).toBe("said ***")
    expect(key.length).toBeGreaterThan(15)
  })
})

function openStoreOf(project: string) {
  return { root: join(project, ".gantry"), runDir: (id: string) => join(project, ".gantry", "runs", id) }
}
