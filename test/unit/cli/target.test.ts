import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { targetNames } from "../../../environments/environment.js"
import { config, hostStep, makeProject, targets } from "./rig.js"

/** Says where TEST is, and fails until it is mended. */
const pipelines = {
  where: [
    hostStep(
      "look",
      'log.info("TEST is on " + settings.environments.test.target); if (!existsSync("mended")) throw fault({ code: "RED", kind: "failed", message: "not yet", hint: "mend it" })',
    ),
    targets("look"),
  ].join("\n"),
}

it("--target and GANTRY_TARGET stand above the configuration, and a run goes on where it began", async () => {
  const { dir, gantry, start } = await makeProject(config(pipelines))
  expect((await gantry("run", "where")).stderr).toContain("TEST is on docker")
  const byVariable = await start(["run", "where"], { GANTRY_TARGET: "kubernetes" }).ended
  expect(byVariable.stderr).toContain("TEST is on kubernetes")
  const began = await start(["run", "where", "--target", "kubernetes"], { GANTRY_TARGET: "docker" }).ended
  expect(began).toMatchObject({ code: 1 })
  expect(began.stderr).toContain("TEST is on kubernetes")

  await writeFile(join(dir, "mended"), "")
  const resumed = await start(["resume", began.stdout.trim()], { GANTRY_TARGET: "docker" }).ended
  expect(resumed).toMatchObject({ code: 0 })
  expect(resumed.stderr.slice(resumed.stderr.lastIndexOf("TEST is on"))).toContain("TEST is on kubernetes")
})

describe("a run whose cluster is the current context", () => {
  const kubeconfig = (current: string, server = "https://127.0.0.1:1") =>
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        { name: "a", cluster: { server } },
        { name: "b", cluster: { server: "https://127.0.0.1:2" } },
      ],
      users: [{ name: "me", user: {} }],
      contexts: ["a", "b"].map((name) => ({ name, context: { cluster: name, user: "me" } })),
      "current-context": current,
    })
  const begin = async (environment: string, more = 'environment: "test",') => {
    const run =
      'log.info("it goes on"); if (!existsSync("mended")) throw fault({ code: "RED", kind: "failed", message: "not yet", hint: "mend it" })'
    const text = { where: [hostStep("look", run, more), targets("look")].join("\n") }
    const { dir, start } = await makeProject(
      config(text, `environments: { test: { target: "kubernetes", ${environment} } },`),
    )
    const path = join(dir, ".kubeconfig")
    await writeFile(path, kubeconfig("a"))
    const env = { KUBECONFIG: path }
    const began = await start(["run", "where"], env).ended
    expect(began).toMatchObject({ code: 1 })
    await writeFile(join(dir, "mended"), "")
    return { path, resume: () => start(["resume", began.stdout.trim()], env).ended }
  }

  it("goes on nowhere else, and says where it began; back there it does", async () => {
    const { path, resume } = await begin("")
    await writeFile(path, kubeconfig("b"))
    const elsewhere = await resume()
    expect(elsewhere).toMatchObject({ code: 2 })
    expect(elsewhere.stderr).toContain("RUN-OTHER-CLUSTER: test is not on the cluster any more on which this run began")
    expect(elsewhere.stderr).toContain(
      "It began on context a (https://127.0.0.1:1); now it is context b (https://127.0.0.1:2)",
    )
    expect(elsewhere.stderr).not.toContain("it goes on")
    // The same name for another cluster is another cluster.
    await writeFile(path, kubeconfig("a", "https://127.0.0.1:3"))
    expect(await resume()).toMatchObject({ code: 2 })
    await writeFile(path, kubeconfig("a"))
    expect(await resume()).toMatchObject({ code: 0 })
  })

  it.each([
    ["the configuration names the context", 'kubernetes: { context: "a" }', undefined],
    ["the pipeline has nothing to do there", "", ""],
  ])("goes on wherever the current one leads where %s", async (_name, environment, more) => {
    const { path, resume } = await begin(environment, more)
    await writeFile(path, kubeconfig("b"))
    expect(await resume()).toMatchObject({ code: 0 })
  })
})

it("refuses another word as usage, and says which there are", async () => {
  const { gantry, start } = await makeProject(config(pipelines))
  const option = await gantry("run", "where", "--target", "nomad")
  expect(option.code).toBe(2)
  expect(option.stderr).toContain(`Allowed choices are ${targetNames.join(", ")}`)
  const variable = await start(["plan", "where"], { GANTRY_TARGET: "nomad" }).ended
  expect(variable.code).toBe(2)
  expect(variable.stderr).toContain('TARGET-UNKNOWN: There is no target "nomad"')
})
