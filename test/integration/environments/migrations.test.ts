import { execa } from "execa"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import {
  findMigration,
  migrate,
  memoryOf,
  readMigrations,
  settleMigration,
  type MigrateOptions,
  type MigrationSpec,
  type ReleaseSpec,
} from "../../../environments/index.js"
import { openLab, until, type Lab } from "./lab.js"

const rolling = { replicas: 1, strategy: { kind: "rolling", minReadySeconds: 0 } } as const
const blueGreen = { replicas: 1, strategy: { kind: "blue-green", minReadySeconds: 0 } } as const
const inputs = { test: rolling, green: blueGreen }
let lab: Lab
let release: ReleaseSpec
let logs: Map<string, string>
let lines: string[]
let written: string
/** Each test migrates something of its own. */
let number = 0

beforeAll(async () => {
  lab = await openLab(inputs)
  release = lab.release(await lab.image("one"), { database: "mariadb" })
})
afterAll(() => lab.close())
beforeEach(() => {
  logs = new Map()
  lines = []
  written = ""
})

/** Says who it is and what the database answers, then ends as told. */
const greet = `node -e 'const e = process.env; require("node:net").connect(3306, e.DB_HOST).on("data", (d) => {
  console.log("as", e.DB_USER, e.DB_PASSWORD, "at", d.toString("latin1").includes("MariaDB") ? "MariaDB" : "nobody"); process.exit(0) })'`
/** Runs until the test lets it go. */
const held = "echo begun; until [ -e /tmp/go ]; do sleep 0.1; done; echo gone on"

function migration(run: string, over: Partial<MigrationSpec> = {}): MigrationSpec {
  return { run, content: `content ${(number += 1)}`, timeoutSeconds: 120, compatible: true, ...over }
}
async function options(spec: MigrationSpec, over: Partial<MigrateOptions> & { readonly in?: "test" | "green" } = {}) {
  const { in: name = "test", ...more } = over
  const environment = lab.project.environments[name]
  if (environment === undefined) throw new Error(`no environment ${name}`)
  return {
    target: await lab.target(name),
    environment,
    release,
    migration: spec,
    signal: new AbortController().signal,
    tell: (line: string) => void lines.push(line),
    output: (chunk: string) => void (written += chunk),
    keepLog: (file: string, text: string) => {
      logs.set(file, text)
      return Promise.resolve()
    },
    ...more,
  } satisfies MigrateOptions
}
const journal = (name = "test") => readMigrations(memoryOf(lab.project, name, "web").notes)
const container = (name = "test") => lab.docker.getContainer(`${lab.project.engine.stack}-shop-${name}-web-migration`)
const idOf = async () =>
  container()
    .inspect()
    .then(
      (info) => info.Id,
      () => undefined,
    )
const letGo = () => lab.exec(container().id, ["touch", "/tmp/go"], {})

/** Starts one in a process of its own and kills that as soon as the migration has begun. */
async function killed(spec: MigrationSpec): Promise<string> {
  const images = await lab.images()
  const order = { project: lab.project, name: "test", input: rolling, release, migration: spec, images }
  const child = execa("node", ["test/integration/environments/migrator.mjs", JSON.stringify(order)], {
    reject: false,
    all: true,
    timeout: 120_000,
  })
  let output = ""
  child.all.on("data", (chunk: Buffer) => {
    output += chunk.toString()
    if (/^begun$/m.test(output)) child.kill("SIGKILL")
  })
  await child
  expect(output).toMatch(/^begun$/m)
  return (await idOf()) ?? ""
}

describe("a migration", () => {
  it("runs in the release's image with the database of its environment, once for each content", async () => {
    const spec = migration(greet)
    expect(await migrate(await options(spec))).toMatchObject({ applied: true })
    expect(logs.get("migration.log")).toContain("as web *** at MariaDB")
    expect(written).toContain("as web *** at MariaDB")
    expect((await journal())[0]).toMatchObject({ status: "done", exitCode: 0, content: spec.content, commit: "c0ffee" })
    expect(await idOf()).toBeUndefined()
    expect(await (await lab.target("test")).describe()).toEqual([])

    lines = []
    expect(await migrate(await options(spec))).toMatchObject({ applied: false, at: (await journal())[0]?.endedAt })
    expect(lines.join("\n")).toMatch(/nothing to do/)
    expect(await findMigration(await options(migration(greet)))).toBeUndefined()
  })

  it("that fails says why, and runs again when it is asked for again", async () => {
    const spec = migration("echo no such table >&2; exit 3")
    const error: unknown = await migrate(await options(spec)).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: "MIGRATION-FAILED", kind: "failed" })
    expect((error as { reason: string }).reason).toMatch(/exit code 3 .*\nno such table/)
    expect((await journal())[0]).toMatchObject({ status: "failed", exitCode: 3 })
    expect(await idOf()).toBeUndefined()
    expect(await findMigration(await options(spec))).toBeUndefined()
    logs.clear()
    await expect(migrate(await options(spec))).rejects.toMatchObject({ code: "MIGRATION-FAILED" })
    expect(logs.get("migration.log")).toContain("no such table")
  })

  it("that takes too long is stopped", async () => {
    const slow = await options(migration("exec sleep 600", { timeoutSeconds: 1 }))
    await expect(migrate(slow)).rejects.toMatchObject({ code: "MIGRATION-TIMEOUT", kind: "failed" })
    expect(await idOf()).toBeUndefined()
  })

  it("runs again on a database that was made anew", async () => {
    const spec = migration(greet)
    await migrate(await options(spec))
    const name = `${lab.project.engine.stack}-shop-test-web-db`
    await lab.docker.getContainer(name).remove({ force: true })
    await lab.docker.getVolume(name).remove()
    expect(await migrate(await options(spec))).toMatchObject({ applied: true })
  })
})

describe("two at once", () => {
  it("take turns, and the second says for whom it waits", async () => {
    const spec = migration(held)
    const first = migrate(await options(spec))
    await until(() => written.includes("begun"), 60)
    const told: string[] = []
    const second = migrate(await options(spec, { tell: (line) => void told.push(line) }))
    await until(() => told.some((line) => line.includes("migrate web in test for commit c0ffee")), 20)
    await letGo()
    expect(await first).toMatchObject({ applied: true })
    expect(await second).toMatchObject({ applied: false })
  })
})

describe("when the process that wanted it was killed", () => {
  it("its end is waited for", async () => {
    const spec = migration(held)
    const id = await killed(spec)
    expect((await journal())[0]).toMatchObject({ status: "started", content: spec.content })
    const next = migrate(await options(spec))
    await until(() => lines.some((line) => line.includes("still runs")), 20)
    expect(await idOf()).toBe(id)
    await letGo()
    expect(await next).toMatchObject({ applied: false })
    expect(logs.get("migration.log")).toBe("begun\ngone on\n")
    expect((await journal())[0]).toMatchObject({ status: "done", exitCode: 0 })
  })

  it("an end that nobody saw counts", async () => {
    const spec = migration(held)
    await killed(spec)
    await letGo()
    await container().wait()
    expect(await findMigration(await options(spec))).toMatchObject({ applied: true })
    expect(logs.get("migration.log")).toBe("begun\ngone on\n")
    expect(await idOf()).toBeUndefined()
  })

  it("and another one comes, the first is finished before", async () => {
    await killed(migration(held))
    const next = migrate(await options(migration("echo second")))
    await until(() => lines.some((line) => line.includes("still runs")), 20)
    await letGo()
    expect(await next).toMatchObject({ applied: true })
    expect((await journal()).slice(0, 2).map((e) => e.status)).toEqual(["done", "done"])
  })

  it("and its container is gone, nobody guesses", async () => {
    const spec = migration(held)
    await killed(spec)
    await container().remove({ force: true })
    for (const ask of [migrate, findMigration]) {
      await expect(ask(await options(spec))).rejects.toMatchObject({ code: "MIGRATION-UNKNOWN", kind: "errored" })
    }
    const settle = () => settleMigration(lab.project, "test", "web", "failed", "no table is there")
    await settle()
    expect((await journal())[0]).toMatchObject({ status: "failed", note: "Said by a person: no table is there" })
    expect(await findMigration(await options(spec))).toBeUndefined()
    await expect(settle()).rejects.toMatchObject({ code: "MIGRATION-KNOWN" })
  })
})

it("that nobody waits for any more goes on", async () => {
  const spec = migration(held)
  const controller = new AbortController()
  const first = migrate(await options(spec, { signal: controller.signal }))
  await until(() => written.includes("begun"), 60)
  controller.abort()
  await expect(first).rejects.toMatchObject({ code: "MIGRATION-CANCELLED", kind: "cancelled" })
  expect((await container().inspect()).State.Running).toBe(true)
  await letGo()
  expect(await migrate(await options(spec))).toMatchObject({ applied: false })
})

describe("that is not backwards compatible", () => {
  it("is refused where a release runs that would meet it, before anything changes", async () => {
    await lab.deploy(lab.release(release), { environment: "test" })
    const spec = migration("echo taken away", { compatible: false })
    await expect(migrate(await options(spec))).rejects.toMatchObject({ code: "MIGRATION-INCOMPATIBLE", kind: "failed" })
    expect((await journal()).some((e) => e.content === spec.content)).toBe(false)
    expect(await migrate(await options({ ...spec, compatible: true }))).toMatchObject({ applied: true })
  })

  it("is allowed with blue-green, and where nothing runs yet", async () => {
    expect(await migrate(await options(migration("true", { compatible: false }), { in: "green" }))).toMatchObject({
      applied: true,
    })
  })
})
