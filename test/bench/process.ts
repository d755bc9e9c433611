import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"

export interface Timed {
  /** Wall time from start to end of the process. */
  readonly ms: number
  /** Processor time of the process and of those it has waited for. */
  readonly cpu: number
  readonly stdout: string
}

/** Runs a process to its end. @throws when it fails, with the end of what it said */
export async function timed(
  argv: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Timed> {
  const started = process.hrtime.bigint()
  // The shell's `times` says what its children used; POSIX, 2.14: the second line, user and system.
  const child = spawn("sh", ["-c", '"$@"; code=$?; times >&2; exit $code', "sh", ...argv], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  })
  let stdout = ""
  let stderr = ""
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk))
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk))
  const [code] = (await once(child, "close")) as [number | null]
  const ms = Number(process.hrtime.bigint() - started) / 1e6
  if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${code}\n${stderr.slice(-2000)}${stdout.slice(-2000)}`)
  return { ms, cpu: cpuOf(stderr), stdout }
}

function cpuOf(stderr: string): number {
  const used = [...(stderr.trimEnd().split("\n").at(-1) ?? "").matchAll(/(\d+)m([\d.]+)s/g)]
  return used.reduce((sum, [, minutes, seconds]) => sum + (Number(minutes) * 60 + Number(seconds)) * 1000, 0)
}

/** Runs one of programs/ in a process of its own; what it prints is a sample, to which the process's wall time is added. */
export async function program(name: string, ...args: readonly string[]): Promise<Record<string, number>> {
  const path = fileURLToPath(new URL(`./programs/${name}.js`, import.meta.url))
  const { ms, cpu, stdout } = await timed([process.execPath, path, ...args])
  return { ms, "cpu ms": cpu, ...(JSON.parse(stdout) as Record<string, number>) }
}
