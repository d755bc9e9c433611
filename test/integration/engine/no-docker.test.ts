import { execFile } from "node:child_process"
import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { program, runnableEngine } from "./child.js"

const run = promisify(execFile)
/** "nobody" of every Debian. */
const nobody = 65534

/** The engine's sources where an ordinary user may read them: this repository may lie in a home that is closed to others. */
let folder: string
let ask: string
beforeAll(async () => {
  folder = await runnableEngine()
  ask = await program(
    folder,
    "ask",
    `import { ensureDocker, engineConfig } from "./engine/index.js"
     import { toErrorRecord } from "./core/errors.js"
     const config = engineConfig.parse(JSON.parse(process.argv[2] ?? "{}"))
     const answer = await ensureDocker(config).then((found) => ({ found }), toErrorRecord)
     process.stdout.write(JSON.stringify(answer))
    `,
  )
})

/** Asks for a Docker Engine as another user, and answers what that user is told. */
async function asUser(uid: number, config: object, env: Record<string, string> = {}): Promise<Record<string, unknown>> {
  const { stdout } = await run(process.execPath, [ask, JSON.stringify(config)], {
    cwd: folder,
    uid,
    gid: uid,
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...env },
  })
  return JSON.parse(stdout) as Record<string, unknown>
}

const home = (): { home: string } => ({ home: join(tmpdir(), `gantry-nobody-home-${process.pid}`) })
afterAll(() => rm(home().home, { recursive: true, force: true }))

describe("an ordinary user", () => {
  it("who may not open Docker's socket is told which group he needs", async () => {
    expect(await asUser(nobody, home())).toMatchObject({
      code: "SUPPLY-DOCKER-DENIED",
      kind: "errored",
      hint: expect.stringContaining("usermod -aG docker") as string,
    })
  })

  it("where the engine that he named does not answer is told so, and nothing is installed", async () => {
    expect(await asUser(nobody, home(), { DOCKER_HOST: "unix:///nonexistent/docker.sock" })).toMatchObject({
      code: "SUPPLY-NO-DOCKER",
      kind: "errored",
      reason: expect.stringContaining("unix:///nonexistent/docker.sock") as string,
    })
  })
})

describe("root", () => {
  it("finds the engine that answers", async () => {
    expect(await asUser(0, home())).toMatchObject({ found: { api: expect.stringMatching(/^1\.\d+$/) as string } })
  })
})
