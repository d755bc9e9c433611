import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { describe, expect, it } from "vitest"
import { isFault } from "../../../../core/errors.js"
import type { Verdict } from "../../../../environments/analysis/verdict.js"
import type { EnvironmentInput } from "../../../../environments/environment.js"
import { readDecision, readRollout, writeDecision } from "../../../../environments/strategies/state.js"
import type { Instance } from "../../../../environments/target.js"
import { a, b, openWorld, quick, type World } from "./world.js"

const canary: EnvironmentInput = {
  replicas: 2,
  strategy: { kind: "canary", steps: [{ percent: 50, seconds: 0 }], ...quick },
}
const blueGreen: EnvironmentInput = { replicas: 2, strategy: { kind: "blue-green", ...quick, keepSeconds: 60 } }
const pass = (): Verdict => ({
  judgement: "pass",
  at: new Date().toISOString(),
  requests: { canary: 1, baseline: 1 },
  measures: [],
  reason: "",
})

let world: World

/** What `gantry abort` writes, at the moment when it is called. */
async function abort() {
  const { notes } = world.target
  const state = await readRollout(notes)
  if (state === undefined) throw new Error("no rollout goes on")
  const { id: rollout, step } = state
  const at = new Date().toISOString()
  await writeDecision(notes, { rollout, step, kind: "abort", full: false, by: "Lin", reason: "carts are empty", at })
}

async function aborted(work: Promise<unknown>) {
  const error: unknown = await work.catch((e: unknown) => e)
  expect(isFault(error) && error.code, String(error)).toBe("ROLLOUT-ABORTED")
  expect(world.state()).toBe("a:100 a:100")
  expect(await readRollout(world.target.notes)).toBeUndefined()
  expect(await readDecision(world.target.notes)).toBeUndefined()
}

describe("an abort is heeded whenever it comes", () => {
  it("in the very moment in which the last step of a canary is through", async () => {
    world = await openWorld(canary)
    await world.deploy(a)
    world.least()
    await aborted(world.deploy(b, { judge: async () => abort().then(pass) }))
    expect(world.least()).toBeGreaterThanOrEqual(2)
    expect(world.moves.join("\n")).not.toMatch(/weights.*a-1:0/)
  })

  it("when the new release has everything already and the one before is leaving", async () => {
    world = await openWorld(canary)
    await world.deploy(a)
    const { target } = world
    const stop = target.stop.bind(target)
    let told = false
    Object.assign(target, {
      stop: async (instance: Instance, seconds: number) => {
        if (!told) await abort()
        told = true
        return stop(instance, seconds)
      },
    })
    world.least()
    await aborted(world.deploy(b, { judge: () => Promise.resolve(pass()) }))
    expect(world.least()).toBeGreaterThanOrEqual(2)
  })

  it("while green is checked, so that no user sees it", async () => {
    world = await openWorld(blueGreen)
    await world.deploy(a)
    const preview = createServer((_, response) => void abort().then(() => response.end("hello")))
    await new Promise<void>((resolve) => preview.listen(0, "127.0.0.1", resolve))
    try {
      Object.assign(world.target, { previewUrl: `http://127.0.0.1:${(preview.address() as AddressInfo).port}` })
      await aborted(world.deploy(b))
    } finally {
      preview.close()
    }
    expect(world.moves.join("\n")).not.toMatch(/weights.*b-\d:[1-9]/)
  })
})
