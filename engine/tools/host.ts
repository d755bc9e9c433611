import type { Tool } from "./run.js"

/** A program of this host. */
export function hostTool(name: string, path: string, env: (scratch: string) => Readonly<Record<string, string>>): Tool {
  return {
    name,
    async run(args, { scratch, env: more, signal }) {
      const { execa } = await import("execa")
      const ran = await execa(path, args, {
        reject: false,
        stdin: "ignore",
        cwd: scratch,
        maxBuffer: 64_000_000,
        env: { ...env(scratch), ...more },
        ...(signal === undefined ? {} : { cancelSignal: signal }),
      })
      signal?.throwIfAborted()
      return { exitCode: ran.exitCode ?? 127, stdout: ran.stdout, stderr: ran.stderr || (ran.originalMessage ?? "") }
    },
  }
}
