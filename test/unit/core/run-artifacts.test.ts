import { chmod, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import type { Artifact } from "../../../core/artifacts.js"
import { Artifact as ArtifactSchema } from "../../../core/artifacts.js"
import { openArtifact, runArtifacts } from "../../../core/run-artifacts.js"
import { temporaryProject, thrown } from "./rig.js"

async function rig() {
  const root = await temporaryProject()
  await mkdir(join(root, "objects"))
  const runDir = join(root, "run")
  const kept: Artifact[] = []
  const artifacts = runArtifacts({ storeRoot: root, runDir, step: "a.b", kept: (artifact) => kept.push(artifact) })
  return { root, runDir, kept, artifacts }
}

describe("artifacts of a step", () => {
  it("are kept under the step's name and opened again", async () => {
    const { runDir, kept, artifacts } = await rig()
    const artifact = await artifacts.put("reports/x.json", { text: "{}" })
    expect(artifact).toMatchObject({ path: "artifacts/a.b/reports/x.json", size: 2 })
    expect(ArtifactSchema.parse(artifact)).toEqual(artifact)
    expect(kept).toEqual([artifact])
    const path = await artifacts.open(artifact)
    expect(path).toBe(join(runDir, artifact.path))
    expect(await readFile(path, "utf8")).toBe("{}")
  })

  it("take the last of two of the same name", async () => {
    const { artifacts } = await rig()
    await artifacts.put("x", { text: "one" })
    const second = await artifacts.put("x", { text: "two" })
    expect(await readFile(await artifacts.open(second), "utf8")).toBe("two")
  })

  it("come from folders, names relative to them, sorted", async () => {
    const { root, artifacts } = await rig()
    await mkdir(join(root, "out", "b"), { recursive: true })
    await writeFile(join(root, "out", "z.xml"), "z")
    await writeFile(join(root, "out", "b", "a.xml"), "a")
    const all = await artifacts.putFolder("junit", join(root, "out"))
    expect(all.map((a) => a.path)).toEqual(["artifacts/a.b/junit/b/a.xml", "artifacts/a.b/junit/z.xml"])
  })

  it("keep the execute permission", async () => {
    const { root, artifacts } = await rig()
    await writeFile(join(root, "tool"), "#!/bin/sh\n", { mode: 0o755 })
    const artifact = await artifacts.put("tool", { file: join(root, "tool") })
    expect((await stat(await artifacts.open(artifact))).mode & 0o777).toBe(0o555)
  })

  it.each(["../x", "a/../../x", "/etc/passwd", "", ".", ".."])("refuse the name %j", async (name) => {
    const { artifacts, kept } = await rig()
    expect(await thrown(() => artifacts.put(name, { text: "x" }))).toMatchObject({ code: "ARTIFACT-NAME" })
    expect(kept).toEqual([])
  })

  it("are refused when they were changed, also by a byte of the same length", async () => {
    const { runDir, artifacts } = await rig()
    const artifact = await artifacts.put("image.tar", { text: "layers" })
    await artifacts.open(artifact)
    await chmod(join(runDir, artifact.path), 0o644)
    await writeFile(join(runDir, artifact.path), "lAyers")
    expect(await thrown(() => artifacts.open(artifact))).toMatchObject({
      code: "ARTIFACT-TAMPERED",
      kind: "errored",
      reason: expect.stringContaining(artifact.sha256) as string,
    })
  })

  it("are missed when they are gone", async () => {
    const { runDir, artifacts } = await rig()
    const artifact = await artifacts.put("x", { text: "x" })
    await rm(join(runDir, artifact.path))
    expect(await thrown(() => openArtifact(runDir, artifact))).toMatchObject({ code: "ARTIFACT-MISSING" })
  })
})
