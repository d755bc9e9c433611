import { execa } from "execa"
import { fault } from "../../../core/errors.js"

export interface KubectlOptions {
  /** What it reads from standard input, e.g. for `apply -f -`. */
  readonly input?: string
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number
}

export type Kubectl = (args: readonly string[], options?: KubectlOptions) => Promise<string>

/** What hangs is ended: a namespace takes as long to go as its pods may drain, on a busy machine some more. Milliseconds. */
const patienceMs = 300_000

/** kubectl on the host, as the admin of a kubeconfig. Answers its output. Errors: LAB-KUBECTL with its own words. */
export function kubectlOf(program: string, kubeconfig: string): Kubectl {
  return async (args, options = {}) => {
    const ran = await execa(program, [...args], {
      reject: false,
      env: { KUBECONFIG: kubeconfig },
      timeout: options.timeoutMs ?? patienceMs,
      ...(options.input === undefined ? { stdin: "ignore" as const } : { input: options.input }),
      ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    })
    options.signal?.throwIfAborted()
    if (ran.exitCode === 0) return ran.stdout
    throw fault({
      code: "LAB-KUBECTL",
      kind: "errored",
      message: `kubectl ${args.join(" ")} failed`,
      reason: ran.timedOut
        ? `no answer within ${options.timeoutMs ?? patienceMs} ms`
        : (ran.stderr || ran.message || "").trim(),
      hint: "npm run lab:kubernetes -- status",
    })
  }
}
