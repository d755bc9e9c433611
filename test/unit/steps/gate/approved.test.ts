import { afterAll, expect, it } from "vitest"
import { approvedBy } from "../../../../steps/gate/index.js"
import type { Approval, Release, Source } from "../../../../steps/outputs.js"
import { digestOf, lin, makeWorld, removeTemplates, waitingRun } from "./world.js"

afterAll(removeTemplates)

/** A run that was let through the gate, and what a step that acts on it is given. */
async function acting() {
  const world = await makeWorld()
  const { id, runDir } = await waitingRun(world)
  await world.decide(id, lin)
  const { step } = await world.resume(id)
  const lines: string[] = []
  const info = (line: string) => void lines.push(line)
  const context = {
    run: { id, pipeline: "delivery", dir: runDir, project: world.project, commit: world.commit, dirty: false },
    signal: new AbortController().signal,
    log: { info, warn: info },
    mask: () => undefined,
    needs: {
      source: step("checkout")?.output as Source,
      approval: step("gate")?.output as Approval | undefined,
    },
  }
  const release = step("catalog.push")?.output as Release
  const ask = (over: { readonly approval?: undefined } = {}, of: Release | undefined = release) =>
    approvedBy(
      { ...context, needs: { ...context.needs, ...over } } as never,
      world.settings,
      "prod",
      of,
      "catalog is not rolled out to prod",
    )
  return { ask, release, lines }
}

it("answers who approved of it, and says so in the log", async () => {
  const { ask, lines } = await acting()
  expect(await ask()).toMatchObject({ by: lin.name })
  expect(lines).toEqual([`the approval by ${lin.name} holds for ${digestOf("catalog")}`])
})

it("does not let a step act whose gate was skipped", async () => {
  const { ask, lines } = await acting()
  await expect(ask({ approval: undefined })).rejects.toMatchObject({
    code: "ROLLOUT-UNAPPROVED",
    message: "catalog is not rolled out to prod: nobody approved it",
  })
  expect(lines).toEqual([])
})

it("does not let a step act on another release", async () => {
  const { ask, release, lines } = await acting()
  await expect(ask({}, { ...release, digest: digestOf("order") })).rejects.toMatchObject({ code: "GATE-UNPROVEN" })
  expect(lines).toEqual([])
})
