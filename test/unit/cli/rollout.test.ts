import { readFile, writeFile, utimes } from "node:fs/promises"
import { hostname } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { rollbackVerb } from "../../../cli/verbs/rollback.js"
import { rolloutVerb } from "../../../cli/verbs/rollout.js"
import { unlock } from "../../../cli/verbs/unlock.js"
import { engineConfig } from "../../../engine/config.js"
import { fileNotes } from "../../../environments/docker/memory.js"
import { recordRelease } from "../../../environments/history.js"
import { placeOf, serviceFolder, type Place } from "../../../environments/places.js"
import { releaseKey, type ReleaseSpec } from "../../../environments/release.js"
import { unfinishedRelease } from "../../../environments/deployment/unfinished.js"
import {
  freshState,
  readDecision,
  readRefusals,
  refuse,
  type RolloutState,
} from "../../../environments/strategies/state.js"
import type { Notes } from "../../../environments/memory.js"
import { thisProcess } from "../../../core/process-mark.js"
import { spec as releaseOf } from "../environments/strategies/world.js"
import { makeProject } from "./rig.js"

/** What the verbs say goes to standard error. */
let said = ""
beforeEach(() => {
  said = ""
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said += String(text)
    return true
  })
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

const service = `name: web
toolchain: { image: "node:22" }
build: { dockerfile: Dockerfile }
health: {}
`
async function project() {
  const { dir, git } = await makeProject({
    "gantry.config.ts": `export default {
  project: "p",
  services: ["web", "shop"],
  engine: { stack: "t" },
  environments: { test: {}, prod: { strategy: { kind: "canary" }, approvals: {} } },
  approvers: [
    { name: "Lin Release", email: "lin@shop.example", role: "release-manager" },
    { name: "Zhao Author", email: "zhao@shop.example", role: "developer" },
  ],
}
`,
    "web/gantry.service.yaml": service,
    "web/Dockerfile": "FROM scratch\n",
    "shop/gantry.service.yaml": service.replace("name: web", "name: shop"),
    "shop/Dockerfile": "FROM scratch\n",
  })
  vi.stubEnv("GANTRY_HOME", join(dir, ".gantry/home"))
  const engine = engineConfig.parse({ stack: "t" })
  const place: Place = placeOf({ project: "p", engine }, "prod")
  const commit = git("rev-parse", "HEAD")
  const spec = (digest: string): ReleaseSpec => ({ ...releaseOf(digest), commit })
  const folder = serviceFolder(place, "web")
  return { dir, place, folder, notes: fileNotes(folder), spec }
}
const codeOf = async (work: Promise<unknown>) =>
  work.then(
    (value) => `done ${String(value)}`,
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  )
async function pausedRollout(notes: Notes, from: ReleaseSpec, to: ReleaseSpec): Promise<RolloutState> {
  const state: RolloutState = {
    ...freshState({ strategy: "canary", from, to, run: undefined }),
    phase: "paused",
    step: 1,
  }
  await notes.write("rollout", JSON.parse(JSON.stringify(state)) as never)
  return state
}

describe("gantry promote and abort", () => {
  it("leaves the word of an approver to the rollout that pauses, and of nobody else", async () => {
    const { dir, notes, spec } = await project()
    const state = await pausedRollout(notes, spec("a"), spec("b"))
    const promote = (as: string | undefined, reason = "seen") =>
      codeOf(rolloutVerb(dir, "prod", "promote", { reason, ...(as === undefined ? {} : { as }) }))
    expect(await promote(undefined)).toBe("PERSON-UNKNOWN")
    expect(await promote("Somebody")).toBe("PERSON-UNKNOWN")
    expect(await promote("Zhao Author")).toBe("PERSON-REFUSED")
    expect(await promote("Lin Release", " ")).toBe("PERSON-REASON")
    expect(await readDecision(notes)).toBeUndefined()
    expect(await promote("lin@shop.example")).toBe("done 0")
    expect(await readDecision(notes)).toMatchObject({
      rollout: state.id,
      step: 1,
      kind: "promote",
      full: false,
      by: "Lin Release",
    })
    expect(said).toMatch(/Lin Release: promote web in prod[^]*run its pipeline again/)
    expect(await readFile(join(dir, ".gantry/audit.ndjson"), "utf8")).toMatch(
      /"kind":"promote"[^\n]*"digest":"sha256:b"/,
    )
    // An author may not say that it is good, but may stop it.
    expect(await codeOf(rolloutVerb(dir, "prod", "abort", { as: "Zhao Author", reason: "broken" }))).toBe("done 0")
    expect(await readDecision(notes)).toMatchObject({ kind: "abort", by: "Zhao Author" })
  })

  it("lets a release that was taken back come again", async () => {
    const { dir, notes, spec } = await project()
    await refuse(notes, spec("b"), "5xx")
    const options = { service: ["web"], as: "Lin Release", reason: "it was the database" }
    expect(await codeOf(rolloutVerb(dir, "prod", "promote", options))).toBe("done 0")
    expect(await readRefusals(notes)).toEqual([])
    expect(said).toMatch(/lets web sha256:b be deployed to prod again[^]*5xx/)
    expect(await codeOf(rolloutVerb(dir, "prod", "promote", options))).toBe("ROLLOUT-NOTHING")
  })

  it("says where a rollout is gone on with whose run is not kept here", async () => {
    const { dir, notes, spec } = await project()
    const state = await pausedRollout(notes, spec("a"), spec("b"))
    await notes.write("rollout", JSON.parse(JSON.stringify({ ...state, run: "20261126-000000-ci01" })) as never)
    const abort = { as: "Lin Release", reason: "broken" }
    expect(await codeOf(rolloutVerb(dir, "prod", "abort", abort))).toBe("done 0")
    expect(said).toMatch(/run 20261126-000000-ci01, which is not kept here: run its job or its pipeline again/)
    expect(await readDecision(notes)).toMatchObject({ kind: "abort" })
  })

  it("asks which service where it cannot know", async () => {
    const { dir } = await project()
    expect(await codeOf(rolloutVerb(dir, "prod", "abort", { as: "Lin Release", reason: "x" }))).toBe("ROLLOUT-WHICH")
    expect(await codeOf(rolloutVerb(dir, "prdo", "abort", { reason: "x" }))).toBe("ENVIRONMENT-UNKNOWN")
  })
})

describe("gantry rollback", () => {
  it("changes nothing when there is nothing to go back to, or nobody who may", async () => {
    const { dir, notes, spec } = await project()
    const back = (more: object = {}) =>
      codeOf(rollbackVerb(dir, "prod", { as: "Lin Release", reason: "orders fail", service: ["web"], ...more }))
    expect(await back()).toBe("ROLLBACK-NOTHING")
    await recordRelease(notes, { release: spec("aaaaaa"), replicas: 1, at: "2026-11-26T00:00:00.000Z" })
    expect(await back()).toBe("ROLLBACK-NOTHING")
    expect(await back({ to: "ffffff" })).toBe("ROLLBACK-UNKNOWN")
    expect(await back({ as: "Somebody" })).toBe("PERSON-UNKNOWN")
    expect(await back({ reason: "" })).toBe("PERSON-REASON")
    expect(await notes.read("rollback-order")).toBeUndefined()
    // While a release is on its way the last whole one is what to go back to: then there is something.
    const { project: name, engine } = { project: "p", engine: engineConfig.parse({ stack: "t" }) }
    expect(await unfinishedRelease({ project: name, engine, environments: {} }, "prod", "web")).toBeUndefined()
    await pausedRollout(notes, spec("aaaaaa"), spec("b"))
    expect(await unfinishedRelease({ project: name, engine, environments: {} }, "prod", "web")).toBe(
      releaseKey(spec("b")),
    )
  })
})

describe("gantry unlock", () => {
  async function lockedBy(owner: object, ageSeconds = 0) {
    const made = await project()
    await made.notes.write("x", 1) // Makes the folder.
    const path = join(made.folder, "deploy.lock")
    await writeFile(
      path,
      JSON.stringify({
        ...(await thisProcess()),
        since: "2026-11-26",
        what: "deploy web",
        token: "t",
        lease: 60,
        ...owner,
      }),
    )
    const at = new Date(Date.now() - ageSeconds * 1000)
    await utimes(path, at, at)
    return { ...made, path }
  }

  it("says that nobody holds it", async () => {
    const { dir } = await project()
    expect(await unlock(dir, "prod", {})).toBe(0)
    expect(said).toMatch(/web in prod: nobody is changing it\nshop in prod: nobody/)
  })

  it("removes the lock of a process that is gone, and says whose it was", async () => {
    const { dir, path } = await lockedBy({ started: "1" })
    expect(await unlock(dir, "prod", {})).toBe(0)
    expect(said).toContain(`the lock of process ${process.pid} on ${hostname()} since 2026-11-26`)
    await expect(readFile(path)).rejects.toThrow()
  })

  it("refuses that of one that lives, unless it is told to", async () => {
    const { dir, path } = await lockedBy({})
    expect(await codeOf(unlock(dir, "prod", {}))).toBe("UNLOCK-HELD")
    expect(await readFile(path, "utf8")).toContain("deploy web")
    expect(await unlock(dir, "prod", { force: true })).toBe(0)
    await expect(readFile(path)).rejects.toThrow()
  })

  it("takes that of another host for gone when its lease is over", async () => {
    const living = await lockedBy({ host: "elsewhere" })
    expect(await codeOf(unlock(living.dir, "prod", {}))).toBe("UNLOCK-HELD")
    const gone = await lockedBy({ host: "elsewhere" }, 61)
    expect(await unlock(gone.dir, "prod", {})).toBe(0)
  })
})
