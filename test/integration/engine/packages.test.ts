import { execFile } from "node:child_process"
import { randomBytes } from "node:crypto"
import { rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest"
import { engineContext, type EngineContext } from "../../../engine/context.js"
import { removeContainer, runContainer } from "../../../engine/docker/run.js"
import { engineConfig, localImage, resolveImage } from "../../../engine/index.js"
import { makeBase } from "../../../engine/supply/base.js"
import { goBuild, goReference } from "../../../engine/supply/go.js"
import { makeImage, madeName, hasImage } from "../../../engine/supply/make.js"
import type { Recipe } from "../../../engine/supply/recipe.js"
import { runnableEngine, spawnProgram } from "./child.js"
import { ownStack, recordingProgress, takeDownAfterwards, temporaryFolder } from "./rig.js"

const run = promisify(execFile)

let folder: string
beforeAll(async () => {
  folder = await runnableEngine()
})
const packages = engineConfig.parse({ supply: "packages" })
const local = (context: EngineContext, reference: string): Promise<string> =>
  localImage(context.config, reference).then((image) => image.name)

/** A recipe that nobody made before: its name and content are of this test run. */
function freshRecipe(extra: Partial<Recipe> = {}): Recipe {
  const word = randomBytes(6).toString("hex")
  return {
    references: [`docker.io/gantry-test/${word}:1`],
    provides: `a test image ${word}`,
    expectedSeconds: 5,
    dockerfile: "RUN apt-get update && apt-get install -y --no-install-recommends hello\nCOPY word /word\n",
    files: () => Promise.resolve({ word: { text: word } }),
    check: { command: ["sh", "-c", "hello; cat /word"], expect: new RegExp(`Hello, world![^]*${word}`) },
    ...extra,
  }
}

async function removeImage(context: EngineContext, name: string): Promise<void> {
  await context.docker
    .getImage(name)
    .remove({ force: true })
    .catch((error: { statusCode?: number }) => {
      if (error.statusCode !== 404) throw error
    })
}

describe("from packages", () => {
  it("a Debian base is made and runs", async () => {
    const context = engineContext(packages)
    const tag = `gantry.local/engit-base:${randomBytes(4).toString("hex")}`
    onTestFinished(() => removeImage(context, tag))
    await makeBase(context, tag)
    const ran = await runContainer(context.docker, { image: tag, command: ["cat", "/etc/os-release"] })
    expect(ran.output).toContain("VERSION_CODENAME=trixie")
  })

  it("an image is made of its recipe once, and is there the second time", async () => {
    const context = engineContext(packages)
    const recipe = freshRecipe()
    const name = await makeImage(context, recipe, local)
    onTestFinished(() => removeImage(context, name))
    expect(name).toBe(await madeName(context, recipe))
    const { progress, lines } = recordingProgress()
    expect(await makeImage({ ...context, progress }, recipe, local)).toBe(name)
    expect(lines).toEqual([])
  })

  it("an image that fails its check is not there afterwards", async () => {
    const context = engineContext(packages)
    const recipe = freshRecipe({ dockerfile: "RUN true\nCOPY word /word\n" })
    await expect(makeImage(context, recipe, local)).rejects.toMatchObject({ code: "SUPPLY-CHECK", kind: "errored" })
    expect(await hasImage(context, await madeName(context, recipe))).toBe(false)
    await removeImage(context, `${await madeName(context, recipe)}-unchecked`)
  })

  it("a Dockerfile that breaks is errored with the builder's words", async () => {
    const context = engineContext(packages)
    const recipe = freshRecipe({ dockerfile: "RUN echo some last words; exit 7\n" })
    await expect(makeImage(context, recipe, local)).rejects.toMatchObject({
      code: "SUPPLY-BUILD",
      kind: "errored",
      reason: expect.stringMatching(/some last words[^]*code: 7/) as string,
    })
  })

  it("Go programs are built in a container, with their flags, by the pinned toolchain", async () => {
    const context = engineContext(packages)
    const word = randomBytes(4).toString("hex")
    const build = {
      title: "a test program",
      module: "test/integration/engine/hello",
      packages: ["hello/cmd/hello"],
      ldflags: `-s -w -X main.word=${word}`,
      expectedSeconds: 20,
    }
    const folder = await goBuild(context, () => local(context, goReference), build)
    onTestFinished(() => rm(folder, { recursive: true }))
    expect((await run(join(folder, "hello"))).stdout).toBe(`${word}\n`)
    expect((await stat(folder)).uid).toBe(process.getuid?.())
  })

  it("what was made is pushed by digest to a registry that the Docker Engine pulls from", async () => {
    const config = await ownStack({ supply: "packages" })
    takeDownAfterwards(config)
    const image = await resolveImage(config, "debian:trixie-slim")
    expect(image).toMatchObject({ source: "packages", provides: "Debian 13 from Debian's packages" })
    expect(image.reference).toMatch(
      new RegExp(`^127\\.0\\.0\\.1:${config.ports.registry}/gantry/debian@sha256:[0-9a-f]{64}$`),
    )
    const context = engineContext(config)
    onTestFinished(() => removeImage(context, image.reference))
    const ran = await runContainer(context.docker, { image: image.reference, command: ["true"] })
    expect(ran.exitCode).toBe(0)
    // The second time nothing is made or pushed.
    const { progress, lines } = recordingProgress()
    expect(await resolveImage(config, "debian:trixie-slim", { progress })).toEqual(image)
    expect(lines).toEqual([])
  })
})

describe("interrupted", () => {
  it("an image whose maker was killed is made by the next one, which takes the lock over", async () => {
    const context = engineContext(packages)
    const word = randomBytes(6).toString("hex")
    const gate = join(await temporaryFolder(), "gate")
    // The first maker holds the lock and waits for ever for its parent image; killed, it cannot give the lock back.
    const source = `{
      references: ["docker.io/gantry-test/${word}:1"], provides: "a test image", expectedSeconds: 5,
      dockerfile: "COPY word /word\\nRUN test -n \\"$(cat /word)\\"\\n",
      files: async () => ({ word: { text: "${word}" } }),
      check: { command: ["cat", "/word"], expect: /${word}/ },
    }`
    const child = await spawnProgram(
      folder,
      `import { writeFileSync } from "node:fs"
       import { makeImage } from "./engine/supply/make.js"
       import { engineContext } from "./engine/context.js"
       import { engineConfig } from "./engine/config.js"
       await makeImage(engineContext(engineConfig.parse({ supply: "packages" })), ${source}, () => {
         writeFileSync(${JSON.stringify(gate)}, "inside")
         return new Promise(() => setInterval(() => {}, 1000))
       })`,
    )
    await vi.waitFor(() => stat(gate), { timeout: 60_000 })
    await child.kill()
    const recipe: Recipe = {
      references: [`docker.io/gantry-test/${word}:1`],
      provides: "a test image",
      expectedSeconds: 5,
      dockerfile: 'COPY word /word\nRUN test -n "$(cat /word)"\n',
      files: () => Promise.resolve({ word: { text: word } }),
      check: { command: ["cat", "/word"], expect: new RegExp(word) },
    }
    const name = await makeImage(context, recipe, local)
    onTestFinished(() => removeImage(context, name))
    expect(await hasImage(context, name)).toBe(true)
  })
})

describe("removing a container", () => {
  it("that is not there is no error", async () => {
    await expect(removeContainer(engineContext(packages).docker, "engit-no-such")).resolves.toBeUndefined()
  })
})
