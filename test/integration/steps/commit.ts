import { execFileSync } from "node:child_process"
import type { Source } from "../../../steps/outputs.js"

const author = { name: "Wang Li", email: "wang@example.com" }

/** Git in a folder, as the author of all its commits. */
export const gitIn =
  (folder: string) =>
  (...args: readonly string[]): string =>
    execFileSync("git", ["-c", `user.name=${author.name}`, "-c", `user.email=${author.email}`, ...args], {
      cwd: folder,
    })
      .toString()
      .trim()

/** Commits whatever is in the folder: what the checkout step would say of it. */
export function commitAll(folder: string): Source {
  const git = gitIn(folder)
  git("add", ".")
  git("commit", "-q", "-m", "A change")
  return {
    commit: git("rev-parse", "HEAD"),
    tree: git("rev-parse", "HEAD^{tree}"),
    dirty: false,
    author,
    date: "2026-01-01T00:00:00Z",
    subject: "A change",
    changed: [],
    services: {},
  }
}
