import { affectedServices } from "../ci/affected.js"
import { fault } from "../core/errors.js"
import { findCommit, git, namesIn } from "../steps/git.js"
import type { Settings } from "../steps/settings.js"

/** What a change touches; `changed` undefined: not known, so everything counts as changed, and `note` says why. */
export interface Change {
  readonly changed: readonly string[] | undefined
  readonly note: string
}

/**
 * Files of the project that differ between two commits; both names of a moved one. When the base is not in the clone (a shallow
 * one, a force push), nothing is known.
 */
export async function changeBetween(root: string, base: string, commit: string): Promise<Change> {
  const from = await findCommit(base, { cwd: root })
  if (from === undefined) {
    return { changed: undefined, note: `commit ${base.slice(0, 12)}, to compare with, is not in this clone` }
  }
  const text = await git(["diff", "--name-only", "--no-renames", "--relative", "-z", from, commit], { cwd: root })
  const changed = namesIn(text)
  return { changed, note: `${changed.length} files changed since ${from.slice(0, 12)}` }
}

/** The change since a revision that somebody named. @throws COMMIT-UNKNOWN */
export async function changeSince(root: string, revision: string, commit: string): Promise<Change> {
  const change = await changeBetween(root, revision, commit)
  if (change.changed !== undefined) return change
  throw fault({
    code: "COMMIT-UNKNOWN",
    kind: "usage",
    message: `There is no commit "${revision}" to compare with`,
    hint: "git log --oneline --all lists commits; git fetch (in a shallow clone: git fetch --unshallow) may bring it.",
  })
}

export interface Narrowed {
  readonly settings: Settings
  /** Names of the services that are left; undefined: all of them. */
  readonly services: readonly string[] | undefined
  /** For people: what was left out and why. */
  readonly notes: readonly string[]
}

/** The settings with the services that a change affects. */
export function narrow(settings: Settings, { changed, note }: Change): Narrowed {
  if (settings.services.length === 0) return { settings, services: undefined, notes: [] }
  const { affected, skipped, all } = affectedServices(settings, changed)
  if (skipped.length === 0) {
    const why = changed === undefined || all === undefined ? note : `${all} (${note})`
    return { settings, services: undefined, notes: [`All services: ${why}.`] }
  }
  return {
    settings: { ...settings, services: [...affected] },
    services: affected.map((s) => s.name),
    notes: skipped.map((s) => `${s.service.name} is left out: ${s.reason}; ${note}.`),
  }
}
