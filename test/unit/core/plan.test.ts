import { rm } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { branch } from "../../../core/condition.js"
import { pipeline } from "../../../core/pipeline.js"
import { makePlan, nodeOf } from "../../../core/plan.js"
import { step, type RunInfo } from "../../../core/step.js"
import { openStore } from "../../../core/store.js"
import { runPipeline, temporaryProject } from "./rig.js"

const source = step("source", { engine: false, cache: false, output: z.string(), run: () => Promise.resolve("tree-1") })
const image = step("image", {
  engine: false,
  needs: { source },
  output: z.string(),
  run: async ({ artifacts }) => (await artifacts.put("image.tar", { text: "layers" })).sha256,
})
const review = step("review", {
  engine: false,
  when: branch("main"),
  output: z.number(),
  run: () => Promise.resolve(1),
})
const deploy = step("deploy", {
  engine: false,
  needs: { image, review },
  secrets: ["KUBECONFIG", "TOKEN"],
  stage: "deploy",
  service: "catalog",
  environment: "test",
  effect: {
    key: ({ needs }) => `deploy:${needs.image}:${needs.review ?? "-"}`,
    retry: { attempts: 1 },
    reconcile: "repeat",
  },
  run: () => Promise.resolve(),
})
const gate = step("gate", { engine: false, gate: true, after: [deploy], run: () => Promise.resolve() })
const p = pipeline("p", { targets: [gate] })

async function plan(project: string, known: Record<string, unknown> = {}, on = "feature") {
  const run: RunInfo = { id: "plan", pipeline: "p", dir: project, project, commit: "c0ffee", dirty: false }
  const made = await makePlan({
    pipeline: p,
    selection: {},
    services: ["catalog"],
    facts: { branch: on },
    run,
    cacheRoot: openStore(project).root,
    known: new Map(Object.entries(known)),
    hasSecret: (name) => name === "TOKEN",
  })
  return { ...made, step: (id: string) => made.steps.find((s) => s.id === id) }
}

describe("makePlan", () => {
  it("says what would happen, before anything has run", async () => {
    const made = await plan(await temporaryProject())
    expect(made.steps.map((s) => [s.id, s.action])).toEqual([
      ["source", "run"],
      ["image", "run"],
      ["review", "skip"],
      ["deploy", "effect"],
      ["gate", "wait"],
    ])
    expect(made).toMatchObject({ pipeline: "p", services: ["catalog"], commit: "c0ffee", dirty: false })
    expect(made.step("review")?.reason).toBe("only on branch main (this is feature)")
    expect(made.step("deploy")).toMatchObject({
      secrets: ["KUBECONFIG", "TOKEN"],
      missingSecrets: ["KUBECONFIG"],
      needs: ["image", "review"],
      stage: "deploy",
      service: "catalog",
      environment: "test",
    })
    expect(made.step("deploy")?.effectKey).toBeUndefined()
  })

  it("knows what is cached and which effects follow, once the outputs before them are known", async () => {
    const project = await temporaryProject()
    const { step: s } = await runPipeline(pipeline("p", { targets: [image] }), { project })
    const made = await plan(project, { source: "tree-1" })
    expect(made.step("image")?.action).toBe("cached")
    expect(made.step("deploy")?.effectKey).toBe(`deploy:${String(s("image")?.output)}:-`)
    expect((await plan(project, { source: "tree-2" })).step("image")?.action).toBe("run")
    expect((await plan(project)).step("image")?.action).toBe("run")
  })

  it("does not count on a cached result whose artifacts are gone", async () => {
    const project = await temporaryProject()
    await runPipeline(pipeline("p", { targets: [image] }), { project })
    await rm(join(openStore(project).root, "objects"), { recursive: true })
    expect((await plan(project, { source: "tree-1" })).step("image")?.action).toBe("run")
  })

  it("does not count on known outputs that the step would not declare now", async () => {
    const made = await plan(await temporaryProject(), { source: 7, image: "i" })
    expect(made.step("deploy")?.effectKey).toBeUndefined()
  })

  it("writes nothing", async () => {
    const project = await temporaryProject()
    await plan(project)
    const { readdir } = await import("node:fs/promises")
    expect(await readdir(project)).toEqual([])
  })
})

describe("nodeOf", () => {
  it("is what the record and the renderers see", () => {
    expect(nodeOf(deploy)).toEqual({
      id: "deploy",
      kind: "effect",
      needs: ["image", "review"],
      stage: "deploy",
      service: "catalog",
      environment: "test",
    })
  })
})
