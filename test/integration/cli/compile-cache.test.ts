import { mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { execa } from "execa"
import { beforeAll, expect, it, onTestFinished } from "vitest"
import { built, command } from "../../unit/cli/built.js"
import { gitlabCiLocal } from "../../gitlab/gitlab-ci-local.js"

beforeAll(built)

/** Answers what a command without a project says, and how many files its folder of caches has then. */
async function ask(node: string, cache: string, more: Record<string, string> = {}) {
  const env = { XDG_CACHE_HOME: cache, NO_COLOR: "1", ...more }
  const { exitCode, stderr } = await execa(node, [command, "-C", cache, "plan", "delivery"], { env, reject: false })
  const kept = await readdir(join(cache, "gantry/compiled"), { recursive: true }).catch(() => [])
  return { exitCode, said: stderr.includes("CONFIG-MISSING"), kept: kept.length > 0 }
}

it("compiled modules are kept where Node can, in a folder of the user's own; elsewhere all is as it was", async () => {
  const folder = async () => {
    const dir = await mkdtemp(join(tmpdir(), "gantry-cache-"))
    onTestFinished(() => rm(dir, { recursive: true, force: true }))
    return dir
  }
  // The Node 22 that gitlab-ci-local runs with.
  const [node = ""] = await gitlabCiLocal()
  const newer = await folder()
  expect(await ask(node, newer)).toEqual({ exitCode: 2, said: true, kept: true })
  expect(await ask(node, newer)).toEqual({ exitCode: 2, said: true, kept: true })
  expect(await ask(node, await folder(), { NODE_DISABLE_COMPILE_CACHE: "1" })).toMatchObject({
    said: true,
    kept: false,
  })
})
