import { describe, expect, it } from "vitest"
import type { EnvironmentInput } from "../../../../environments/environment.js"
import { readHistory, recordRelease } from "../../../../environments/history.js"
import { readRollbackOrder, writeRollbackOrder } from "../../../../environments/deployment/orders.js"
import { releaseKey, type ReleaseSpec } from "../../../../environments/release.js"
import { chooseRelease, migratedSince } from "../../../../environments/deployment/rollback.js"
import { readRefusals, type Refusal } from "../../../../environments/strategies/state.js"
import { a, b, back as rollBackTo, c, openWorld, spec, type World } from "../strategies/world.js"

const pace = { minReadySeconds: 0, drainSeconds: 0, graceSeconds: 0 }
const rolling: EnvironmentInput = { replicas: 3, strategy: { kind: "rolling", ...pace } }
let world: World

const back = (to: ReleaseSpec, settings: EnvironmentInput) => rollBackTo(world, to, settings)

describe("rollback", () => {
  it("starts all instances of the release before together, and refuses what it replaces", async () => {
    world = await openWorld(rolling)
    await world.deploy(a)
    await world.deploy(b)
    world.moves.length = 0
    world.least()
    expect(await back(a, rolling)).toMatchObject({ unchanged: false, release: { digest: a.digest } })
    expect(world.state()).toBe("a:100 a:100 a:100")
    expect(world.moves.filter((m) => m.startsWith("start"))).toEqual(["start 3 a"])
    expect(world.least()).toBeGreaterThanOrEqual(3)
    expect(await readRefusals(world.target.notes)).toMatchObject([
      { key: releaseKey(b), why: "rolled back by Lin: orders fail" },
    ])
    expect((await readHistory(world.target.notes)).map((e) => e.release.commit)).toEqual(["a", "b", "a"])
    expect((await back(a, rolling)).unchanged).toBe(true)
  })

  it("gives blue that is kept all the traffic at once, and starts nothing", async () => {
    const settings: EnvironmentInput = { replicas: 2, strategy: { kind: "blue-green", ...pace, pauseSeconds: 0 } }
    world = await openWorld(settings)
    await world.deploy(a)
    // As after a switch: green has the traffic, blue is kept.
    await world.target.start(b, 2, new AbortController().signal)
    await world.target.setWeights(new Map(world.instances.map((i) => [i, i.key === releaseKey(b) ? 100 : 0])))
    await recordRelease(world.target.notes, { release: b, replicas: 2, at: "2026-11-26" })
    world.moves.length = 0
    world.least()
    await back(a, settings)
    expect(world.moves.find((m) => m.startsWith("weights"))).toBe("weights a-1:100 a-2:100 b-3:0 b-4:0")
    expect(world.moves.filter((m) => m.startsWith("start"))).toEqual([])
    expect(world.state()).toBe("a:100 a:100")
    expect(world.least()).toBe(2)
  })

  it("is overtaken by a later deployment: resuming its run must not take that one back", async () => {
    world = await openWorld(rolling)
    await world.deploy(a)
    const order = (at: string) => writeRollbackOrder(world.target.notes, { to: b, by: "Lin", reason: "", at })
    await order(new Date(Date.now() - 1000).toISOString())
    await world.deploy(c)
    expect(await readRollbackOrder(world.target.notes)).toBeUndefined()
    // One that came while the deployment went on is what the person wants now.
    await order(new Date(Date.now() + 60_000).toISOString())
    await world.deploy(a)
    expect(await readRollbackOrder(world.target.notes)).toMatchObject({ by: "Lin" })
  })

  it("finishes in another process, wherever it was killed", async () => {
    for (let order = 1; ; order++) {
      world = await openWorld(rolling)
      await world.deploy(a)
      await world.deploy(b)
      world.least()
      world.dieAt(order)
      await back(a, rolling).catch(() => undefined)
      const died = world.takeOver()
      if (died) await back(a, rolling)
      expect(world.state(), `killed at order ${order}`).toBe("a:100 a:100 a:100")
      expect(world.least()).toBeGreaterThanOrEqual(3)
      if (!died) break
    }
  })
})

describe("a migration on the way back", () => {
  const entry = (over: object) =>
    ({ status: "done", compatible: false, startedAt: "2026-11-26T10:00:00.000Z", commit: "c", ...over }) as never
  it.each([
    ["not backwards compatible, since then", entry({}), true],
    ["under way", entry({ status: "started" }), true],
    ["failed", entry({ status: "failed" }), false],
    ["compatible", entry({ compatible: true }), false],
    ["before that release was rolled out", entry({ startedAt: "2026-11-26T08:00:00.000Z" }), false],
  ])("%s", async (_, migration, closed) => {
    world = await openWorld(rolling)
    expect(migratedSince([migration], "2026-11-26T09:00:00.000Z") !== undefined).toBe(closed)
  })
})

describe("which release a rollback goes to", () => {
  const where = { service: "web", environment: "prod" }
  const entry = (release: ReleaseSpec, generation: number) => ({ release, generation, at: "2026-11-26", replicas: 1 })
  const long = (spec: ReleaseSpec) => ({
    ...spec,
    digest: `sha256:${spec.commit.repeat(12)}`,
    commit: spec.commit.repeat(40),
  })
  const history = [entry(long(c), 3), entry(long(b), 2), entry(long(a), 1)]
  const of = (wanted?: string, refused: readonly ReleaseSpec[] = []) =>
    chooseRelease(
      where,
      history,
      refused.map((r) => ({ key: releaseKey(r), digest: "", commit: "", at: "", why: "" })),
      wanted,
    ).generation

  it("is the newest other one that was not taken back", async () => {
    world = await openWorld(rolling)
    expect(of()).toBe(2)
    expect(of(undefined, [long(b)])).toBe(1)
    expect(() => of(undefined, [long(a), long(b)])).toThrow(/nothing to go back to/)
    expect(() => chooseRelease(where, [], [], undefined)).toThrow(/no good release/)
  })

  it("is the one before a release that is on its way: what last ran whole, not what ran before that", async () => {
    world = await openWorld(rolling)
    const onItsWay = releaseKey(spec("d"))
    const chosen = (unfinished?: string, refused: readonly Refusal[] = []) =>
      chooseRelease(where, history, refused, undefined, unfinished).generation
    expect(chosen()).toBe(2)
    expect(chosen(onItsWay)).toBe(3)
    // An older one that is rolled out once more is left, too.
    expect(chosen(releaseKey(long(b)))).toBe(3)
    const refusal = { key: releaseKey(long(c)), digest: "", commit: "", at: "", why: "" }
    expect(chosen(onItsWay, [refusal])).toBe(2)
  })

  it("is the one that is named by generation, digest or commit", async () => {
    world = await openWorld(rolling)
    expect(of("1")).toBe(1)
    expect(of("bbbbbb")).toBe(2)
    expect(of("sha256:aaaaaa")).toBe(1)
    expect(of("a".repeat(40))).toBe(1)
    for (const wrong of ["9", "bbb", "ffffff", ""]) expect(() => of(wrong), wrong).toThrow(/No kept release/)
  })
})
