import { execFileSync, spawn, type ChildProcess } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { onTestFinished } from "vitest"
import { command } from "./built.js"

/** What a test's own `git` is told: nothing of the one who runs the tests. */
export const gitEnv = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" }

/** The variables that change what the command does are set by the test alone. */
function environment(more: Record<string, string>): NodeJS.ProcessEnv {
  const own = Object.entries(gitEnv).filter(
    ([name]) => !/^(CI|CI_.*|GITHUB_.*|NO_COLOR|FORCE_COLOR|GANTRY_TARGET)$/.test(name),
  )
  return { ...Object.fromEntries(own), ...more }
}

/** A project with its files in one commit of Zhao's; gone after the test, unless it is kept for several: then by `dispose`. */
export async function makeProject(
  files: Record<string, string>,
  options: { readonly commit?: boolean; readonly keep?: boolean } = {},
) {
  const dir = await mkdtemp(join(tmpdir(), "gantry-cli-"))
  const children = new Set<ChildProcess>()
  const dispose = async () => {
    for (const child of children) child.kill("SIGKILL")
    await rm(dir, { recursive: true, force: true, maxRetries: 3 })
  }
  if (options.keep !== true) onTestFinished(dispose)
  for (const [name, text] of Object.entries({ ".gitignore": ".gantry/\n", ...files })) {
    await mkdir(dirname(join(dir, name)), { recursive: true })
    await writeFile(join(dir, name), text)
  }
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=Zhao Author", "-c", "user.email=zhao@shop.example", ...args], {
      cwd: dir,
      env: gitEnv,
      encoding: "utf8",
    }).trim()
  git("init", "-q", "-b", "main", "--template=")
  if (options.commit !== false) {
    git("add", "-A")
    git("commit", "-q", "-m", "First version")
  }

  /** Starts the real command. */
  const start = (args: readonly string[], env: Record<string, string> = {}) => {
    const child = spawn(process.execPath, [command, ...args], {
      cwd: dir,
      env: environment(env),
      stdio: ["ignore", "pipe", "pipe"],
    })
    children.add(child)
    let stdout = ""
    let stderr = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text))
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text))
    const ended = new Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>((done) =>
      child.on("close", (code, signal) => {
        children.delete(child)
        done({ code, signal, stdout, stderr })
      }),
    )
    return { child, ended }
  }
  return {
    dir,
    dispose,
    git,
    start,
    gantry: (...args: string[]) => start(args).ended,
    /** Waits until a step of the project has made this file. */
    async appears(name: string): Promise<void> {
      for (const deadline = Date.now() + 60_000; !existsSync(join(dir, name)); await pause(20)) {
        if (Date.now() > deadline) throw new Error(`${name} did not appear`)
      }
    },
  }
}

/** A configuration whose pipelines are these, by name; each a body that answers the targets. */
export function config(pipelines: Record<string, string>, more = ""): Record<string, string> {
  const entries = Object.entries(pipelines).map(
    ([name, body]) => `    ${JSON.stringify(name)}: (settings) => {\n${body}\n    },`,
  )
  return {
    "gantry.config.ts": `import { execFileSync } from "node:child_process"
import { appendFileSync, existsSync, writeFileSync } from "node:fs"
import { fault, pipeline, step } from "gantry-ci"
import { defineConfig } from "gantry-ci/config"

const host = { engine: false, cache: false } as const
/** Waits for a file, or until it is told to stop. */
const until = async (file: string, signal: AbortSignal) => {
  while (!existsSync(file)) {
    signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
export default defineConfig({
  project: "shop",
  ${more}
  pipelines: {
${entries.join("\n")}
  },
})
`,
  }
}

/** `const <name> = step("<name>", …)` of a step that runs on the host. */
export const hostStep = (id: string, run: string, more = "") =>
  `      const ${id.replaceAll(/[-.]/g, "_")} = step("${id}", { ...host, ${more} run: async ({ log, run, signal, secrets, needs }) => { ${run} } })`
export const targets = (...ids: string[]) =>
  `      return pipeline("p", { targets: [${ids.map((id) => id.replaceAll(/[-.]/g, "_")).join(", ")}] })`
