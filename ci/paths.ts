import { matchesGlob } from "../core/condition.js"
import type { Settings } from "../steps/settings.js"
import { inputsOf } from "./affected.js"

/** Folders and files of the project, as a tree. */
interface Folder {
  readonly folders: Map<string, Folder>
  /** Names of files: of a service, ignored, or of all. */
  readonly files: Map<string, "owned" | "ignored" | "shared">
}

/** There whether they are yet or not: making them must not change what is made. */
const generated = [".gitlab-ci.yml", ".gitlab/gantry/service.yml", ".github/workflows/delivery.yml"]

/**
 * What affects every service, as globs: all files under version control that belong to none and are not ignored. Whole folders
 * and whole kinds of files where possible, so that a new file beside them is covered, too.
 * @param files Relative to the project, with forward slashes
 */
export function sharedPaths(
  settings: Pick<Settings, "services" | "configRepo" | "ci">,
  files: readonly string[],
): readonly string[] {
  const owned = settings.services.flatMap((service) => inputsOf(settings, service))
  const root: Folder = { folders: new Map(), files: new Map() }
  for (const file of new Set([...files, ...generated])) {
    const parts = file.split("/")
    const name = parts.pop() ?? ""
    let at = root
    for (const part of parts) {
      const next = at.folders.get(part) ?? { folders: new Map(), files: new Map() }
      at.folders.set(part, next)
      at = next
    }
    const whose = owned.some((glob) => matchesGlob(glob, file))
      ? "owned"
      : settings.ci.ignore.some((glob) => matchesGlob(glob, file))
        ? "ignored"
        : "shared"
    at.files.set(name, whose)
  }
  return pathsIn(root, "")
}

function pathsIn(folder: Folder, prefix: string): readonly string[] {
  if (prefix !== "" && !holds(folder, "owned")) return holds(folder, "shared") ? [`${prefix}**`] : []
  return [
    ...filesIn(folder, prefix),
    ...[...folder.folders].flatMap(([name, inner]) => pathsIn(inner, `${prefix}${name}/`)),
  ]
}

function filesIn({ files }: Folder, prefix: string): readonly string[] {
  const shared = [...files].filter(([, whose]) => whose === "shared").map(([name]) => name)
  const others = [...files].filter(([, whose]) => whose !== "shared").map(([name]) => name)
  if (shared.length > 0 && others.length === 0) return [`${prefix}*`]
  const kind = (name: string) => /.(\.[^.]+)$/.exec(name)?.[1]
  const taken = new Set(others.map(kind))
  const globs = shared.map((name) => {
    const own = kind(name)
    return own === undefined || taken.has(own) ? name : `*${own}`
  })
  return [...new Set(globs)].sort().map((glob) => `${prefix}${glob}`)
}

function holds(folder: Folder, whose: "owned" | "shared"): boolean {
  return [...folder.files.values()].includes(whose) || [...folder.folders.values()].some((inner) => holds(inner, whose))
}

/**
 * At most so many globs that match all that these do: folders are put together from the bottom up. Undefined when only
 * everything would do.
 */
export function fewer(globs: readonly string[], most: number): readonly string[] | undefined {
  let now = [...new Set(globs)]
  const depth = Math.max(0, ...now.map((glob) => glob.split("/").length))
  for (let keep = depth - 1; now.length > most && keep >= 1; keep--) {
    now = [
      ...new Set(
        now.map((glob) => {
          const parts = glob.split("/")
          return parts.length > keep + 1 || (parts.length === keep + 1 && parts[keep] !== "**")
            ? `${parts.slice(0, keep).join("/")}/**`
            : glob
        }),
      ),
    ]
  }
  return now.length > most || now.includes("**") ? undefined : now
}
