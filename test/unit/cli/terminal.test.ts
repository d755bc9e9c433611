import { spawn } from "node:child_process"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { command } from "./built.js"
import { gateFiles, lin, zhao } from "./gate-files.js"
import { gitEnv, makeProject } from "./rig.js"

/** Starts the command at a real terminal (util-linux' script) and types what the conversation says, each answer after its question. */
async function converse(
  dir: string,
  args: string,
  talk: readonly (readonly [RegExp, string])[],
  env: Record<string, string> = {},
) {
  const { CI: _, ...rest } = { CI: "", ...gitEnv }
  const child = spawn(
    "script",
    ["--quiet", "--return", "--command", `${process.execPath} ${command} ${args}`, "/dev/null"],
    {
      cwd: dir,
      env: { ...rest, TERM: "xterm", ...env },
      stdio: ["pipe", "pipe", "pipe"],
    },
  )
  onTestFinished(() => void child.kill("SIGKILL"))
  let text = ""
  let heard = 0
  const left = [...talk]
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk
    const [question, answer] = left[0] ?? []
    const match = question?.exec(text.slice(heard))
    if (match === null || match === undefined || answer === undefined) return
    heard += match.index + match[0].length
    left.shift()
    child.stdin.write(answer)
  })
  const code = await new Promise<number | null>((done) => child.on("close", done))
  return { code, text, left }
}

describe("at a terminal", () => {
  it("the gate can be answered in place; the author is refused and asked again", async () => {
    const { dir } = await makeProject(gateFiles([lin, zhao]))
    const { code, text, left } = await converse(dir, "run release", [
      [/Who decides[^?]*\? /, "zhao author\r"],
      [/approve or reject\? /, "approve\r"],
      [/Reason: /, "mine\r"],
      [/APPROVAL-REFUSED[^]*Who decides[^?]*\? /, "Lin Release\r"],
      [/approve or reject\? /, "perhaps\r"],
      [/Answer[^]*Who decides[^?]*\? /, "Lin Release\r"],
      [/approve or reject\? /, "approve\r"],
      [/Reason: /, "tested\r"],
    ])
    expect({ code, left }, text).toEqual({ code: 0, left: [] })
    expect(await readFile(join(dir, "rolled-out"), "utf8")).toBe("x")
  })
  it.each([
    ["an empty answer", "\r"],
    ["Ctrl-C", "\u0003"],
    ["Ctrl-D", "\u0004"],
  ])("%s leaves it waiting", async (_, answer) => {
    const { dir, gantry } = await makeProject(gateFiles([lin]))
    const { code, text } = await converse(dir, "run release", [[/Who decides[^?]*\? /, answer]])
    expect(code, text).toBe(4)
    expect(JSON.parse((await gantry("show", "last", "--json")).stdout)).toMatchObject({ status: "waiting" })
  })
  it.each([
    ["with CI", "run release", { CI: "true" }],
    ["with --json", "run release --json", {}],
  ])("is not asked %s", async (_, args, env) => {
    const { dir } = await makeProject(gateFiles([lin]))
    const { code, text } = await converse(dir, args, [], env)
    expect(code, text).toBe(4)
    expect(text).not.toContain("Who decides")
  })
})
