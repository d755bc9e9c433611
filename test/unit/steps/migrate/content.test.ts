import { execFileSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { describe, expect, it } from "vitest"
import { writeEvidence } from "../../../../approvals/index.js"
import type { RunInfo } from "../../../../core/step.js"
import { migrationContent } from "../../../../steps/migrate/content.js"
import { verifyMigration } from "../../../../steps/gate/index.js"
import { ServiceDeclaration, type Service } from "../../../../steps/service.js"
import type { Release, Source } from "../../../../steps/outputs.js"
import { temporaryProject } from "../../core/rig.js"

const declared = { run: "node migrate.js", files: ["migrations/*.sql"] }
function service(migrations: object = declared): Service {
  const declaration = {
    name: "web",
    toolchain: { image: "node:22" },
    build: {},
    health: {},
    database: "mariadb",
    migrations,
  }
  return { ...ServiceDeclaration.parse(declaration), path: "web" }
}
const release = { service: "web", digest: "sha256:1" } as Release

/** Trees of a repository with these files, one for each state. */
async function repository() {
  const cwd = await temporaryProject()
  const git = (...args: string[]) => execFileSync("git", args, { cwd, encoding: "utf8" }).trim()
  git("init", "-q", "--template=")
  const tree = (files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(cwd, name)), { recursive: true })
      writeFileSync(join(cwd, name), text)
    }
    git("add", "-A")
    return git("write-tree")
  }
  return { cwd, tree }
}

describe("what a migration applies", () => {
  it("is the files it names, wherever else something changes", async () => {
    const { cwd, tree } = await repository()
    const of = (t: string, s = service()) => migrationContent(s, { tree: t }, release, { cwd })
    const first = await of(tree({ "web/migrations/1.sql": "create", "web/app.js": "1", "other/migrations/1.sql": "x" }))
    expect(first).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(await of(tree({ "web/app.js": "2", "other/migrations/1.sql": "y", "web/migrations/old/1.sql": "z" }))).toBe(
      first,
    )
    const more = await of(tree({ "web/migrations/2.sql": "alter" }))
    expect(more).not.toBe(first)
    expect(await of(tree({ "web/migrations/2.sql": "alter table" }))).not.toBe(more)
  })
  it("is the image, where it names none", async () => {
    expect(await migrationContent(service({ run: "x" }), { tree: "any" }, release, { cwd: "/" })).toBe("sha256:1")
  })
  it("files that are not there are a mistake", async () => {
    const { cwd, tree } = await repository()
    const content = migrationContent(service(), { tree: tree({ "web/a.sql": "x" }) }, release, { cwd })
    await expect(content).rejects.toMatchObject({ code: "MIGRATION-NO-FILES", kind: "failed" })
  })
})

it("migrations without a database are refused when the declaration is read", () => {
  const parsed = ServiceDeclaration.safeParse({
    name: "web",
    toolchain: { image: "node:22" },
    build: {},
    health: {},
    migrations: declared,
  })
  expect(parsed.error?.issues[0]).toMatchObject({ path: ["migrations"], message: /no `database`/ })
})

describe("at PROD nothing is migrated but what was approved", () => {
  const approvedRun = "node migrate.js"
  async function world(migration: (content: string) => object | null) {
    const { cwd, tree } = await repository()
    const source = { tree: tree({ "web/migrations/1.sql": "create" }) } as Source
    const content = await migrationContent(service(), source, release, { cwd })
    const run = { id: "r1", dir: join(cwd, "run"), project: cwd } as RunInfo
    await writeEvidence(run.dir, {
      run: "r1",
      gate: "gate",
      environment: "prod",
      commit: "c",
      tree: "t",
      authors: [{ name: "a", email: "a@x" }],
      demands: { required: 1, roles: [], expiresAfterHours: 1 },
      services: [{ service: "web", migration: migration(content) as never }],
    })
    return (s = service()) => verifyMigration(run, "prod", s, { source, release })
  }
  const same = (content: string) => ({ run: approvedRun, content, compatible: true })

  it("the same passes", async () => {
    await (
      await world(same)
    )()
  })
  it.each<[string, (content: string) => object | null, object, RegExp]>([
    ["nothing was approved", () => null, declared, /no migration of it was approved/],
    ["other files", () => same("sha256:0"), declared, /other migrations/],
    ["another command", same, { ...declared, run: "rm -rf" }, /approved was `node migrate.js`/],
    ["no longer backwards compatible", same, { ...declared, compatible: false }, /declared otherwise/],
  ])("%s", async (_, approved, now, reason) => {
    const verify = await world(approved)
    await expect(verify(service(now))).rejects.toMatchObject({
      code: "GATE-UNPROVEN",
      reason: expect.stringMatching(reason) as string,
    })
  })
})
