import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it, onTestFinished } from "vitest"
import { fault } from "../../../core/errors.js"
import { environment } from "../../../environments/environment.js"
import { readMigrations, recordMigration } from "../../../environments/migrations/journal.js"
import { migrate } from "../../../environments/migrations/migrate.js"
import { migrationKey, type MigrateOptions } from "../../../environments/migrations/spec.js"
import { releaseSpec } from "../../../environments/release.js"
import { fileNotes } from "../../../environments/docker/memory.js"
import { freeLocks } from "../../fakes/target.js"
import type { Target } from "../../../environments/target.js"
import type { TaskEnd, TaskLost, TaskView } from "../../../environments/task.js"

const spec = { run: "m", content: "c1", timeoutSeconds: 5, compatible: true }
const release = releaseSpec({
  service: "web",
  reference: "r@sha256:1",
  digest: "sha256:1",
  commit: "c0ffee",
  config: "{}\n",
  env: {},
  port: 1,
  readiness: "/",
  startupSeconds: 1,
  calls: [],
  database: "mariadb",
  resources: {},
})

/** A target that only knows tasks: what a killed process left, and how whatever runs ends. */
async function world(
  options: {
    left?: TaskView
    ends?: readonly (number | Omit<TaskLost, "log">)[]
    onRun?: () => Promise<void>
  } = {},
) {
  const folder = await mkdtemp(join(tmpdir(), "gantry-test-"))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const notes = fileNotes(folder)
  let left = options.left
  const did: string[] = []
  const ends = [...(options.ends ?? [])]
  const end = (): TaskEnd | TaskLost => {
    const next = ends.shift() ?? 0
    if (typeof next !== "number") return { ...next, log: "" }
    return { exitCode: next, outOfMemory: false, timedOut: false, seconds: 1, log: "said\n" }
  }
  const target = {
    service: "web",
    environment: "test",
    notes,
    locks: freeLocks,
    prepare: () => Promise.resolve(void did.push("prepare")),
    findTask: () => Promise.resolve(left),
    dataSince: () => Promise.resolve("then"),
    awaitTask: () => Promise.resolve(void did.push("await")).then(end),
    async runOnce(_release: unknown, task: { key: string }, { starting }: { starting?: () => Promise<void> }) {
      await starting?.()
      did.push(`run ${(await readMigrations(notes))[0]?.status}`)
      left = { key: task.key, container: "web-migration", state: "ended" }
      await options.onRun?.()
      return end()
    },
    async removeTask() {
      did.push(`remove ${(await readMigrations(notes))[0]?.status ?? "nothing"}`)
      left = undefined
    },
  } as unknown as Target
  const go = (migration = spec) =>
    migrate({
      target,
      environment: environment("test"),
      release,
      migration,
      signal: new AbortController().signal,
      tell: () => undefined,
      output: () => undefined,
      keepLog: () => Promise.resolve(),
    } satisfies MigrateOptions)
  const started = (key = migrationKey(spec)) =>
    recordMigration(notes, {
      key,
      content: "c1",
      run: "m",
      digest: "sha256:1",
      commit: "c0ffee",
      compatible: true,
      timeoutSeconds: 5,
      database: "then",
      status: "started",
      startedAt: "2026-01-01T00:00:00Z",
    })
  return { folder, notes, did, go, started, status: async () => (await readMigrations(notes))[0]?.status }
}

it("writes down that it starts before it runs, and how it ended before its container goes", async () => {
  const { did, go } = await world()
  expect(await go()).toMatchObject({ applied: true })
  expect(did).toEqual(["remove nothing", "prepare", "run started", "remove done"])
  did.length = 0
  expect(await go()).toMatchObject({ applied: false })
  expect(did).toEqual(["remove done"])
})

it("one that was killed before its container ran has not begun, and is done now", async () => {
  const { did, go, started } = await world({ left: { key: migrationKey(spec), container: "c", state: "created" } })
  await started()
  expect(await go()).toMatchObject({ applied: true })
  expect(did).toEqual(["remove failed", "prepare", "run started", "remove done"])
})

it("one that runs and of which nothing is written down is waited for, not cut off", async () => {
  const { did, go } = await world({ left: { key: "lost", container: "c", state: "running" } })
  expect(await go()).toMatchObject({ applied: true })
  expect(did.slice(0, 2)).toEqual(["await", "remove nothing"])
})

it("one that was left behind and failed is told, and not run again at once", async () => {
  const { did, go, started, status } = await world({
    left: { key: migrationKey(spec), container: "c", state: "ended" },
    ends: [4],
  })
  await started()
  await expect(go()).rejects.toMatchObject({ code: "MIGRATION-FAILED", kind: "failed" })
  expect(did).toEqual(["await", "remove failed"])
  expect(await status()).toBe("failed")
})

it("the failure of another one is told, and does not stop this one", async () => {
  const { notes, did, go, started } = await world({
    left: { key: "other", container: "c", state: "ended" },
    ends: [4, 0],
  })
  await started("other")
  expect(await go()).toMatchObject({ applied: true })
  expect(did).toEqual(["await", "remove failed", "prepare", "run started", "remove done"])
  expect((await readMigrations(notes)).map((e) => e.status)).toEqual(["done", "failed"])
})

const cause = fault({ code: "K8S-TASK", kind: "errored", message: "it cannot run", reason: "exceeded quota" })

it("one that never began is told as what kept it from that, and is done next time", async () => {
  const { notes, did, go } = await world({ ends: [{ begun: false, cause }] })
  await expect(go()).rejects.toMatchObject({ code: "K8S-TASK", kind: "errored" })
  expect((await readMigrations(notes))[0]).toMatchObject({
    status: "failed",
    note: "It never began: exceeded quota",
  })
  expect(did).toEqual(["remove nothing", "prepare", "run started", "remove failed"])
  expect(await go()).toMatchObject({ applied: true })
})

it("one that was left behind and never began is done now", async () => {
  const { did, go, started } = await world({
    left: { key: migrationKey(spec), container: "c", state: "running" },
    ends: [{ begun: false, cause }],
  })
  await started()
  expect(await go()).toMatchObject({ applied: true })
  expect(did).toEqual(["await", "remove failed", "prepare", "run started", "remove done"])
})

it("one that was lost while it ran has not failed: nobody knows, and it is not run again", async () => {
  const { did, go, status } = await world({ ends: [{ begun: true, cause }] })
  await expect(go()).rejects.toMatchObject({
    ...{ code: "MIGRATION-UNKNOWN", kind: "errored" },
    reason: expect.stringContaining("exceeded quota") as string,
  })
  // What is written down stays; what it ran in goes, so that a person may say how it ended.
  expect(did).toEqual(["remove nothing", "prepare", "run started", "remove started"])
  await expect(go()).rejects.toMatchObject({ code: "MIGRATION-UNKNOWN" })
  expect(await status()).toBe("started")
})

it("a container of something else is no answer to how it ended", async () => {
  const { did, go, started } = await world({ left: { key: "other", container: "c", state: "ended" } })
  await started()
  await expect(go()).rejects.toMatchObject({ code: "MIGRATION-UNKNOWN", kind: "errored" })
  expect(did).toEqual([])
})

it("when the engine goes away meanwhile, nothing is said about its end", async () => {
  const { go, status } = await world({ onRun: () => Promise.reject(new Error("socket hang up")) })
  await expect(go()).rejects.toThrow("socket hang up")
  expect(await status()).toBe("started")
  expect(await go()).toMatchObject({ applied: false })
})

it("a state that cannot be read is not taken for an empty one", async () => {
  const { folder, did, go } = await world()
  const file = join(folder, "migrations.json")
  await writeFile(file, "{")
  await expect(go()).rejects.toMatchObject({ code: "MIGRATION-STATE" })
  expect(did).toEqual([])
  expect(await readFile(file, "utf8")).toBe("{")
})
