import type { Person } from "../../approvals/index.js"
import { fault } from "../../core/errors.js"
import type { RunInfo } from "../../core/step.js"
import { committedTree } from "../checkout/tree.js"
import { git, type GitOptions } from "../git.js"

/** What a commit is bound to by its hash, read from git itself: a record of it can be edited, the commit cannot. */
export interface CommitFacts {
  readonly commit: string
  /** Tree of the project's folder. */
  readonly tree: string
  /** The author, then co-authors as `Co-authored-by:` lines name them. */
  readonly authors: readonly Person[]
}

/** @throws GATE-COMMIT when the repository does not have the run's commit, and the errors of git */
export async function commitFacts(
  run: Pick<RunInfo, "project" | "commit">,
  signal: AbortSignal | undefined,
): Promise<CommitFacts> {
  // `git replace` would show another author than the hash vouches for.
  const at: GitOptions = { cwd: run.project, env: { GIT_NO_REPLACE_OBJECTS: "1" }, signal }
  const [commit = "", name = "", email = "", message = ""] = (
    await git(
      ["log", "-1", "--no-show-signature", "--encoding=UTF-8", "--format=%H%x00%an%x00%ae%x00%B", run.commit, "--"],
      at,
    ).catch((cause: unknown) => {
      throw unknownCommit(run.commit, cause)
    })
  ).split("\0")
  const prefix = (await git(["rev-parse", "--show-prefix"], at)).trimEnd()
  return { commit, tree: await committedTree(commit, prefix, at), authors: [{ name, email }, ...coAuthors(message)] }
}

/** Every such line counts, wherever it stands: one too many keeps an author from approving their own work. */
export function coAuthors(message: string): readonly Person[] {
  return [...message.matchAll(/^[ \t]*co-authored-by[ \t]*:[ \t]*([^<\n]*)<([^>\n]*)>/gim)].map(
    ([, name = "", email = ""]) => ({ name: name.trim(), email: email.trim() }),
  )
}

function unknownCommit(commit: string, cause: unknown) {
  return fault({
    code: "GATE-COMMIT",
    kind: "errored",
    message: `Commit ${commit.slice(0, 12)} cannot be read, so nobody knows who its author is`,
    reason: (cause as { readonly reason?: string }).reason ?? (cause as Error).message,
    hint: "Bring it (git fetch origin), then `gantry resume` the run.",
    cause,
  })
}
