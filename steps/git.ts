import { execFile } from "node:child_process"
import { fault } from "../core/errors.js"

/** Where git looks comes from the folder alone: a run that is started from a git hook inherits these. */
const inherited = [
  "GIT_DIR",
  "GIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_PREFIX",
  "GIT_COMMON_DIR",
  "GIT_OBJECT_DIRECTORY",
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_NAMESPACE",
]

export interface GitOptions {
  readonly cwd: string
  /** Set for this call, after the inherited `GIT_*` locations were dropped. */
  readonly env?: Readonly<Record<string, string>>
  /** Standard input. */
  readonly input?: string
  readonly signal?: AbortSignal | undefined
}

export interface GitAnswer {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs git on the host and answers whatever it said. @throws GIT-MISSING, GIT-NO-REPOSITORY, GIT-OWNER */
export async function tryGit(args: readonly string[], options: GitOptions): Promise<GitAnswer> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !inherited.includes(name)))
  // Git's words are read below: in one language, and without asking anybody for a password.
  const said = { ...env, LC_ALL: "C", GIT_TERMINAL_PROMPT: "0", GIT_OPTIONAL_LOCKS: "0", ...options.env }
  const result = await start(args, said, options)
  options.signal?.throwIfAborted()
  if (typeof result.code !== "number") throw notStarted(result.code, result.message, options.cwd)
  const stderr = result.stderr.trim()
  if (/not a git repository/i.test(stderr)) {
    throw fault({
      code: "GIT-NO-REPOSITORY",
      kind: "usage",
      message: `${options.cwd} is not in a git repository`,
      reason: stderr,
      hint: `Gantry delivers commits. In that folder: git init && git add . && git commit -m "First version"`,
    })
  }
  if (/dubious ownership/i.test(stderr)) {
    throw fault({
      code: "GIT-OWNER",
      kind: "usage",
      message: `git refuses ${options.cwd}: it belongs to another user`,
      reason: stderr.split("\n")[0],
      hint: `git config --global --add safe.directory ${options.cwd}`,
    })
  }
  return { exitCode: result.code, stdout: result.stdout, stderr }
}

interface Ended {
  /** Exit code; a word of the system when git could not be started or was killed. */
  readonly code: number | string | undefined
  readonly message: string
  readonly stdout: string
  readonly stderr: string
}

/** Node's own, not execa: every verb asks git something, and loading execa takes longer than the answer. */
function start(args: readonly string[], env: NodeJS.ProcessEnv, { cwd, input, signal }: GitOptions): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile("git", args, { cwd, env, signal, maxBuffer: 256 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve({
        code: error === null ? 0 : (error.code ?? error.signal ?? undefined),
        message: error?.message ?? "",
        stdout,
        stderr,
      })
    })
    // Git may end before it has read everything; its exit code and words say why.
    child.stdin?.on("error", () => undefined)
    child.stdin?.end(input)
  })
}

/** Runs git and answers its standard output. @throws GIT-FAILED and the errors of `tryGit` */
export async function git(args: readonly string[], options: GitOptions): Promise<string> {
  const answer = await tryGit(args, options)
  if (answer.exitCode === 0) return answer.stdout
  throw fault({
    code: "GIT-FAILED",
    kind: "errored",
    message: `git ${args[0] ?? ""} failed with exit code ${answer.exitCode}`,
    reason: answer.stderr || "It said nothing.",
    hint: `Try it by hand in ${options.cwd}: git ${args.join(" ")}`,
  })
}

/** Hash of the commit that a revision names; undefined when there is none. */
export async function findCommit(revision: string, options: GitOptions): Promise<string | undefined> {
  const found = await tryGit(["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`], options)
  return found.exitCode === 0 ? found.stdout.trim() : undefined
}

/** Names that git lists with `-z`. */
export function namesIn(list: string): readonly string[] {
  return list.split("\0").filter((name) => name !== "")
}

function notStarted(code: string | undefined, message: string, cwd: string) {
  return fault({
    code: "GIT-MISSING",
    kind: "usage",
    message: "git cannot be started",
    reason: code === "ENOENT" ? `There is no command "git", or no folder ${cwd}.` : message,
    hint: "Install it (apt-get install git) and check the folder.",
  })
}
