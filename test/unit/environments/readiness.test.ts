import { expect, it } from "vitest"
import { awaitReady } from "../../../environments/readiness.js"
import type { Instance, Target } from "../../../environments/target.js"

const instance = { id: "1", name: "web-1", state: "running", healthy: false, restarts: 0 } as Instance

/** A target that shows what is next in the list each time it is asked, and the last of it from then on. */
function target(views: readonly Partial<Instance>[]): Target {
  let asked = 0
  return {
    describe: () => Promise.resolve([{ ...instance, ...views[Math.min(asked++, views.length - 1)] }]),
  } as unknown as Target
}
const wait = (views: readonly Partial<Instance>[], timeoutSeconds: number, prepareSeconds = 10) =>
  awaitReady(target(views), [instance], {
    timeoutSeconds,
    prepareSeconds,
    stableSeconds: 0,
    signal: AbortSignal.timeout(10_000),
  })

it("says why an instance is not ready by its last check that had an answer", async () => {
  const views = [{}, { check: "Layer7 wrong status, code 503" }, {}]
  expect(await wait(views, 0.25)).toMatchObject({
    failed: { why: "timeout", instance: { name: "web-1", check: "Layer7 wrong status, code 503" } },
  })
})

it("is content when all are healthy, and at an end when one died", async () => {
  expect(await wait([{}, { healthy: true }], 5)).toHaveProperty("ready")
  const exit = { code: 137, outOfMemory: true }
  expect(await wait([{}, { state: "dead", exit }], 5)).toMatchObject({ failed: { why: "out-of-memory" } })
})

it("does not count the time in which nothing of it runs, and does not wait for that for ever", async () => {
  const preparing = { preparing: true, check: "ContainerCreating" }
  const views = [...Array.from({ length: 6 }, () => preparing), {}, { healthy: true }]
  expect(await wait(views, 0.25)).toHaveProperty("ready")
  expect(await wait([preparing], 0.1, 0.3)).toMatchObject({
    failed: { why: "trouble", instance: { trouble: { text: "Nothing of it runs after 0 s: ContainerCreating" } } },
  })
})
