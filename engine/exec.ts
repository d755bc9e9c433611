import type { Task } from "../core/progress.js"

export interface Ran {
  readonly exitCode: number
  /** stdout and stderr as they came, the last part of it when it is long. */
  readonly output: string
}

/**
 * Runs a host command without a shell, shows its lines as the task's log, and answers instead of throwing when it fails:
 * the caller knows what the failure means. `exitCode` 127 means that there is no such command.
 */
export async function runHost(
  command: string,
  args: readonly string[],
  options: {
    readonly task?: Task | undefined
    readonly env?: Readonly<Record<string, string>> | undefined
    readonly cwd?: string | undefined
    readonly signal?: AbortSignal | undefined
    readonly timeoutMs?: number | undefined
  } = {},
): Promise<Ran> {
  const { execa } = await import("execa")
  const child = execa(command, args, {
    reject: false,
    all: true,
    stdin: "ignore",
    maxBuffer: 8_000_000,
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
  })
  if (options.task !== undefined) {
    const { task } = options
    child.all.on("data", (chunk: Buffer | string) => {
      for (const line of String(chunk).split(/\r?\n|\r/)) if (line.trim() !== "") task.log(line)
    })
  }
  const result = await child
  const missing = result.code === "ENOENT"
  return {
    exitCode: missing ? 127 : (result.exitCode ?? 1),
    output: missing ? `${command}: command not found` : (result.all ?? ""),
  }
}

/** The last lines of a tool's output: what a person needs of it in an error. */
export function lastLines(text: string, count = 15): string {
  return text.trimEnd().split("\n").slice(-count).join("\n")
}
