import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { chmod, cp, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import ts from "typescript"
import { afterAll, onTestFinished } from "vitest"

const root = join(import.meta.dirname, "..", "..", "..")

/** TypeScript to what Node runs as it is. */
function transpile(source: string): string {
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true }
  return ts.transpileModule(source, { compilerOptions }).outputText
}

/**
 * A copy of the engine's sources as JavaScript, where every user may read it: for processes of their own that get
 * killed, or that run as somebody else. Answers its folder; removed after the file's tests.
 */
export async function runnableEngine(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gantry-engine-"))
  afterAll(() => rm(folder, { recursive: true, force: true }))
  await chmod(folder, 0o755)
  for (const part of ["core", "net", "engine", "package.json"])
    await cp(join(root, part), join(folder, part), { recursive: true })
  await symlink(join(root, "node_modules"), join(folder, "node_modules"))
  for (const part of ["core", "net", "engine"]) {
    for (const name of await readdir(join(folder, part), { recursive: true })) {
      if (!name.endsWith(".ts")) continue
      const path = join(folder, part, name)
      await writeFile(path.replace(/\.ts$/, ".js"), transpile(await readFile(path, "utf8")))
    }
  }
  return folder
}

/** Writes a program (TypeScript, imports from "./engine/…js") beside the engine's copy, and answers its path. */
export async function program(folder: string, name: string, source: string): Promise<string> {
  const path = join(folder, `${name}.js`)
  await writeFile(path, transpile(source))
  return path
}

/** Runs a program with the engine in a process of its own, to be killed as no process likes it. */
export async function spawnProgram(folder: string, source: string): Promise<{ kill(): Promise<void> }> {
  const path = await program(folder, `child-${randomBytes(3).toString("hex")}`, source)
  const child = spawn(process.execPath, [path], { stdio: ["ignore", "inherit", "inherit"] })
  const exit = new Promise<void>((resolve) => child.on("exit", () => resolve()))
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL")
    await exit
  }
  onTestFinished(kill)
  return { kill }
}
