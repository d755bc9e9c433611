/**
 * When a step runs, as data: the scheduler evaluates it, GitLab's `rules` are generated from it, a plan shows it.
 */
export type Condition =
  | { readonly kind: "branch"; readonly names: readonly string[] }
  | { readonly kind: "tag" }
  | { readonly kind: "merge-request" }
  | { readonly kind: "schedule" }
  | { readonly kind: "clean" }
  | { readonly kind: "changes"; readonly paths: readonly string[]; readonly what: string }
  | { readonly kind: "all"; readonly of: readonly Condition[] }
  | { readonly kind: "any"; readonly of: readonly Condition[] }

/** What is known about the source of a run before it starts. */
export interface Facts {
  readonly branch?: string | undefined
  readonly tag?: string | undefined
  /** Merge or pull request number at the code host. */
  readonly mergeRequest?: string | undefined
  readonly schedule?: boolean | undefined
  /** The work tree instead of a commit is delivered. */
  readonly dirty?: boolean | undefined
  /** Files that the change touches; undefined: not known, so everything counts as changed. */
  readonly changed?: readonly string[] | undefined
  /**
   * The target of each environment, by its name, e.g. "kubernetes": a run goes on where it began. No condition asks about it.
   */
  readonly targets?: Readonly<Record<string, string>> | undefined
  /**
   * The cluster of each environment that is on one, by its name, as the kubeconfig had it: a run goes on nowhere else. No
   * condition asks about it.
   */
  readonly clusters?: Readonly<Record<string, { readonly context: string; readonly server: string }>> | undefined
  /** The CI job that began the run: for whoever reads the record. No condition asks about it. */
  readonly ci?: Provenance | undefined
}

/** Where a run comes from, in the words of the CI system. Addresses are of its pages. */
export interface Provenance {
  readonly host: "gitlab" | "github"
  readonly project?: string | undefined
  readonly pipeline?: string | undefined
  readonly job?: string | undefined
  /** push, schedule, web … */
  readonly source?: string | undefined
  readonly ref?: string | undefined
  readonly protected: boolean
  readonly fork: boolean
  /** User name of whoever started it. */
  readonly actor?: string | undefined
}

export const branch = (...names: readonly string[]): Condition => ({ kind: "branch", names })
export const tag = (): Condition => ({ kind: "tag" })
export const mergeRequest = (): Condition => ({ kind: "merge-request" })
export const schedule = (): Condition => ({ kind: "schedule" })
/** Only for a commit, never for a dirty work tree. */
export const clean = (): Condition => ({ kind: "clean" })
/** Only when one of these globs matches a changed file. `what` names them for the one who reads why it was skipped. */
export const changes = (what: string, paths: readonly string[]): Condition => ({ kind: "changes", what, paths })
export const all = (...of: readonly Condition[]): Condition => ({ kind: "all", of })
export const any = (...of: readonly Condition[]): Condition => ({ kind: "any", of })

/** Undefined when the condition holds, else the reason why not, for a person. */
export function whyNot(condition: Condition, facts: Facts): string | undefined {
  switch (condition.kind) {
    case "branch":
      return facts.branch !== undefined && condition.names.some((name) => matchesGlob(name, facts.branch ?? ""))
        ? undefined
        : `only on branch ${condition.names.join(" or ")} (this is ${facts.branch ?? "no branch"})`
    case "tag":
      return facts.tag === undefined ? "only for a tag" : undefined
    case "merge-request":
      return facts.mergeRequest === undefined ? "there is no merge request for this commit" : undefined
    case "schedule":
      return facts.schedule === true ? undefined : "only on a schedule"
    case "clean":
      return facts.dirty === true ? "the work tree is delivered, not a commit (--dirty)" : undefined
    case "changes":
      return facts.changed === undefined ||
        facts.changed.some((file) => condition.paths.some((glob) => matchesGlob(glob, file)))
        ? undefined
        : `nothing of ${condition.what} changed`
    case "all":
      return condition.of.map((part) => whyNot(part, facts)).find((reason) => reason !== undefined)
    case "any": {
      const reasons = condition.of.map((part) => whyNot(part, facts))
      return reasons.includes(undefined) ? undefined : reasons.join("; ") || "any() of no conditions never holds"
    }
    default:
      return condition satisfies never
  }
}

/** `*` within a path element, `**` across elements, `?` one character. Enough for branches and paths. */
export function matchesGlob(glob: string, text: string): boolean {
  let pattern = globs.get(glob)
  if (pattern === undefined) globs.set(glob, (pattern = globPattern(glob)))
  return pattern.test(text)
}

const globs = new Map<string, RegExp>()

function globPattern(glob: string): RegExp {
  const pattern = glob.replace(/\*\*\/|\*\*|\*|\?|[.+^${}()|[\]\\]/g, (token) => {
    if (token === "**/") return "(?:.*/)?"
    if (token === "**") return ".*"
    if (token === "*") return "[^/]*"
    if (token === "?") return "[^/]"
    return `\\${token}`
  })
  return new RegExp(`^${pattern}$`, "s")
}
