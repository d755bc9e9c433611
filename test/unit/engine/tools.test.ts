import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { engineConfig, helmTool, kustomizeTool } from "../../../engine/index.js"

/** A folder with a program that says a version, and otherwise its arguments, a variable and the folder it runs in. */
async function program(name: string, version: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gantry-test-"))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const script = `#!/bin/sh
[ "$1" = version ] && { echo "${version}"; exit; }
[ "$1" = fail ] && { echo broken >&2; exit 3; }
echo "$*|$HELM_DATA_HOME|$(pwd)"
`
  await writeFile(join(folder, name), script)
  await chmod(join(folder, name), 0o755)
  return folder
}

/** No Docker Engine answers there: whoever goes on to a container fails with its code. */
const config = engineConfig.parse({ docker: { host: "unix:///nowhere.sock" }, supply: "images" })

describe("programs of the host", () => {
  it("the one on PATH serves when it is new enough; its answer and its failure are told apart", async () => {
    const folder = await program("helm", "v3.14.0+g123")
    const helm = await helmTool(config, {}, { PATH: folder })
    expect(helm.name).toBe("helm v3.14.0")
    expect(await helm.run(["a", "b c"], { scratch: folder })).toEqual({
      exitCode: 0,
      stdout: `a b c|${folder}/helm/data|${folder}`,
      stderr: "",
    })
    expect(await helm.run(["fail"], { scratch: folder })).toEqual({ exitCode: 3, stdout: "", stderr: "broken" })
  })

  it.each(["GANTRY_HELM", "GANTRY_KUSTOMIZE"])("%s names another one, which stands above PATH", async (variable) => {
    const [name, tool] = variable === "GANTRY_HELM" ? ["helm", helmTool] : ["kustomize", kustomizeTool]
    const [old, own] = [await program(name, "v1.0.0"), await program("mine", "v5.1.2")]
    const found = await tool(config, {}, { PATH: old, [variable]: join(own, "mine") })
    expect(found.name).toBe(`${name} v5.1.2`)
  })

  it.each([
    ["v3.13.9", /3\.13\.9; 3\.14\.0 is the least/],
    ["nothing", /does not say its version/],
  ])("a named one that says %j is refused, not replaced behind one's back", async (version, reason) => {
    const folder = await program("helm", version)
    await expect(helmTool(config, {}, { GANTRY_HELM: join(folder, "helm") })).rejects.toMatchObject({
      code: "TOOL-UNUSABLE",
      kind: "usage",
      reason: expect.stringMatching(reason) as string,
    })
  })

  it("a named one that is not there is refused, too", async () => {
    await expect(helmTool(config, {}, { GANTRY_HELM: "/nowhere/helm" })).rejects.toMatchObject({
      code: "TOOL-UNUSABLE",
    })
  })

  it("one on PATH that is too old is passed over for a container", async () => {
    const folder = await program("helm", "v3.9.0")
    await expect(helmTool(config, {}, { PATH: folder })).rejects.toMatchObject({ code: "SUPPLY-NO-DOCKER" })
  })
})
