import { describe, expect, it } from "vitest"
import { releaseKey } from "../../../../environments/release.js"
import type { Judgement } from "../../../../environments/analysis/verdict.js"
import { readRollout, writeDecision } from "../../../../environments/strategies/state.js"
import type { EnvironmentInput } from "../../../../environments/environment.js"
import { a, b, c, failure, openWorld, survives, type World } from "./world.js"

const settings: EnvironmentInput = {
  replicas: 3,
  strategy: {
    kind: "canary",
    steps: [
      { percent: 5, seconds: 0 },
      { percent: 50, seconds: 0 },
    ],
    analysis: { intervalSeconds: 0.01, windowSeconds: 0.01 },
    minReadySeconds: 0,
    pauseSeconds: 0,
  },
}
let world: World

async function running(verdicts: readonly Judgement[] = ["pass"], over: EnvironmentInput = settings) {
  world = await openWorld(over, verdicts)
  await world.deploy(a)
  world.moves.length = 0
  world.least()
}
describe("canary", () => {
  it("brings the first release there plainly: there is nothing to compare it with", async () => {
    await running()
    expect(world.state()).toBe("a:100 a:100 a:100")
  })

  it("gives a growing share to as many instances as it takes, and everything in the end", async () => {
    await running()
    const done = await world.deploy(b)
    expect(done).toMatchObject({ unchanged: false, previous: { digest: "sha256:a" } })
    expect(world.state()).toBe("b:100 b:100 b:100")
    expect(world.least()).toBeGreaterThanOrEqual(3)
    const steps = world.moves.filter((m) => m.startsWith("weights") || m.startsWith("start"))
    expect(steps).toEqual([
      "start 1 b",
      "weights b-4:3 a-1:19 a-2:19 a-3:19",
      "start 1 b",
      "weights b-5:3 a-1:2 a-2:2 a-3:2", // b-4 has its 3 already.
      "start 1 b",
      "weights b-4:100 b-5:100 b-6:100 a-1:0 a-2:0 a-3:0",
    ])
    expect(await readRollout(world.target.notes)).toBeUndefined()
  })

  it("takes a bad one back at once, says why, and refuses it from then on", async () => {
    await running(["pass", "fail"])
    const error = await failure(world.deploy(b))
    expect(error.code).toBe("ROLLOUT-UNFIT")
    expect(error.kind).toBe("failed")
    expect(error.message).toMatch(/at 50 %/)
    expect(error.reason).toMatch(/judged fail[^]*serves again, whole/)
    expect(world.state()).toBe("a:100 a:100 a:100")
    expect(world.least()).toBeGreaterThanOrEqual(3)
    expect((await failure(world.deploy(b))).code).toBe("ROLLOUT-REFUSED")
    expect(world.state()).toBe("a:100 a:100 a:100")
  })

  it("brings a refused one there when a person approved it since, and no earlier approval counts", async () => {
    await running(["fail", "pass"])
    const before = new Date(Date.now() - 1000).toISOString()
    await failure(world.deploy(b))
    const early = { by: "Lin", at: before }
    expect((await failure(world.deploy(b, { approved: early }))).code).toBe("ROLLOUT-REFUSED")
    await world.deploy(b, { approved: { by: "Lin", at: new Date(Date.now() + 1000).toISOString() } })
    expect(world.state()).toBe("b:100 b:100 b:100")
  })

  it("forgives as many failed measurements as it is told to", async () => {
    const { strategy } = settings
    const patient = {
      ...strategy,
      analysis: { intervalSeconds: 0.01, windowSeconds: 0.01, failures: 2 },
    } as EnvironmentInput["strategy"]
    await running(["fail", "pass", "fail", "pass"], { ...settings, strategy: patient })
    await world.deploy(b)
    expect(world.state()).toBe("b:100 b:100 b:100")
  })

  it("pauses when the figures say nothing: the release before has the traffic, and a person goes on", async () => {
    await running(["inconclusive"])
    const error = await failure(world.deploy(b, { run: "run-1" }))
    expect(error.code).toBe("ROLLOUT-PAUSED")
    expect(error.kind).toBe("waiting")
    expect(error.hint).toMatch(/gantry promote prod --service web[^]*gantry abort prod --service web/)
    expect(world.state()).toBe("a:100 a:100 a:100 b:0")
    // Nothing is decided by asking again.
    expect((await failure(world.deploy(b))).code).toBe("ROLLOUT-PAUSED")
    const { notes } = world.target
    const state = await readRollout(notes)
    expect(state).toMatchObject({ phase: "paused", step: 0, run: "run-1", why: "judged inconclusive" })
    const decision = { rollout: state?.id ?? "", by: "Lin", reason: "looked at it", at: new Date().toISOString() }
    await writeDecision(notes, { ...decision, kind: "promote", step: 0, full: false })
    // The next step has no figures either: each pause needs a decision of its own.
    expect((await failure(world.deploy(b))).code).toBe("ROLLOUT-PAUSED")
    expect(await readRollout(notes)).toMatchObject({ step: 1 })
    await writeDecision(notes, { ...decision, kind: "promote", step: 1, full: true })
    await world.deploy(b)
    expect(world.state()).toBe("b:100 b:100 b:100")
  })

  it("goes back when a person aborts it", async () => {
    await running(["inconclusive"])
    await failure(world.deploy(b))
    const { notes } = world.target
    const rollout = (await readRollout(notes))?.id ?? ""
    await writeDecision(notes, { rollout, step: 0, kind: "abort", full: false, by: "Lin", reason: "no", at: "2026" })
    const error = await failure(world.deploy(b))
    expect(error.code).toBe("ROLLOUT-ABORTED")
    expect(error.message).toMatch(/Lin/)
    expect(world.state()).toBe("a:100 a:100 a:100")
    expect((await failure(world.deploy(b))).code).toBe("ROLLOUT-REFUSED")
  })

  it("goes back when its instance never gets ready, or dies, before any user sees it", async () => {
    await running()
    world.behave(releaseKey(b), "dies")
    expect((await failure(world.deploy(b))).code).toBe("DEPLOY-DIED")
    expect(world.state()).toBe("a:100 a:100 a:100")
    world.behave(releaseKey(c), "never-ready")
    expect((await failure(world.deploy(c))).code).toBe("DEPLOY-NOT-READY")
    expect(world.state()).toBe("a:100 a:100 a:100")
  })

  it("goes back when an instance dies while users see it", async () => {
    await running()
    const death = world.deploy(b, {
      judge: () => {
        for (const i of world.instances)
          if (i.key === releaseKey(b)) Object.assign(i, { state: "dead", healthy: false })
        return Promise.reject(new Error("a bug would end the rollout"))
      },
    })
    // Whatever ends it, the release before is there.
    await failure(death)
    expect(world.state()).toBe("a:100 a:100 a:100")
  })

  it("replaces an instance of the release before that ends meanwhile, and goes on", async () => {
    // A whole window's time is given before too few figures make it pause.
    const strategy = { ...settings.strategy, analysis: { intervalSeconds: 0.01, windowSeconds: 30 } }
    await running(["pass"], { ...settings, strategy: strategy as EnvironmentInput["strategy"] })
    let asked = 0
    await world.deploy(b, {
      judge: () => {
        const victim = world.instances.find((i) => i.key === releaseKey(a))
        if (asked === 0 && victim !== undefined) Object.assign(victim, { state: "dead", healthy: false })
        const judgement = asked++ === 0 ? ("inconclusive" as const) : ("pass" as const)
        const at = new Date().toISOString()
        return Promise.resolve({ judgement, at, requests: { canary: 1, baseline: 1 }, measures: [], reason: "" })
      },
    })
    expect(world.moves.slice(0, world.moves.indexOf("start 1 b", 5)).filter((m) => m.startsWith("start"))).toEqual([
      "start 1 b",
      "start 1 a",
    ])
    expect(world.state()).toBe("b:100 b:100 b:100")
  })

  it("gives up a rollout that was left half done when another release comes", async () => {
    await running(["inconclusive"])
    await failure(world.deploy(b))
    const error = await failure(world.deploy(c))
    expect(error.code).toBe("ROLLOUT-PAUSED")
    expect(world.state()).toBe("a:100 a:100 a:100 c:0")
  })

  it("is carried on by another process, wherever it was killed", async () => {
    world = await openWorld(settings)
    const open = () => openWorld(settings)
    const orders = await survives(open, (w) => expect(w.state()).toBe("b:100 b:100 b:100"), { least: 3 })
    expect(orders).toBeGreaterThan(15)
  })

  it("finishes its way back in another process, wherever it was killed", async () => {
    world = await openWorld(settings)
    const open = () => openWorld(settings, ["pass", "fail", "fail"])
    const ends = (w: World) => expect(w.state()).toBe("a:100 a:100 a:100")
    const orders = await survives(open, ends, { least: 3, mayFail: /taken back/ })
    expect(orders).toBeGreaterThan(15)
  })
})
