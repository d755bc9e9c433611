import type { Facts } from "../core/condition.js"
import { fault } from "../core/errors.js"
import { findCommit, git, tryGit } from "../steps/git.js"

/** What is delivered, as git and the CI system's variables tell. */
export interface SourceChoice {
  readonly commit: string
  readonly dirty: boolean
  readonly facts: Facts
}

/** Resolves a revision and gathers what conditions ask for. @throws GIT-…, COMMIT-UNKNOWN */
export async function chooseSource(
  root: string,
  options: {
    readonly commit?: string | undefined
    readonly dirty?: boolean | undefined
    readonly mergeRequest?: string | undefined
  },
  env: NodeJS.ProcessEnv = process.env,
): Promise<SourceChoice> {
  const revision = options.commit ?? "HEAD"
  if (options.dirty === true && options.commit !== undefined) {
    throw fault({
      code: "USAGE-DIRTY",
      kind: "usage",
      message: "--dirty and --commit exclude each other",
      hint: "--dirty delivers the work tree as it is now, --commit what is in the repository.",
    })
  }
  const commit = await findCommit(revision, { cwd: root })
  if (commit === undefined) {
    throw fault({
      code: "COMMIT-UNKNOWN",
      kind: "usage",
      message: revision === "HEAD" ? "The repository has no commit yet" : `There is no commit "${revision}"`,
      hint:
        revision === "HEAD"
          ? 'git add . && git commit -m "First version"'
          : "git log --oneline --all lists commits; git fetch may bring it.",
    })
  }
  const dirty = options.dirty === true
  const branch =
    env["CI_COMMIT_BRANCH"] ?? env["CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"] ?? (await currentBranch(root, commit))
  const tag = env["CI_COMMIT_TAG"] ?? (await tagAt(root, commit))
  return {
    commit,
    dirty,
    facts: {
      branch,
      tag,
      mergeRequest: options.mergeRequest ?? env["CI_MERGE_REQUEST_IID"],
      schedule: env["CI_PIPELINE_SOURCE"] === "schedule",
      dirty,
    },
  }
}

async function currentBranch(root: string, commit: string): Promise<string | undefined> {
  const head = (await git(["rev-parse", "HEAD"], { cwd: root })).trim()
  if (head !== commit) return undefined
  const name = await tryGit(["symbolic-ref", "--quiet", "--short", "HEAD"], { cwd: root })
  return name.exitCode === 0 ? name.stdout.trim() : undefined
}

async function tagAt(root: string, commit: string): Promise<string | undefined> {
  const tag = await tryGit(["describe", "--exact-match", "--tags", commit], { cwd: root })
  return tag.exitCode === 0 ? tag.stdout.trim() : undefined
}
