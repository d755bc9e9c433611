import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { expect, it } from "vitest"

const root = join(import.meta.dirname, "../../..")

/** What a module loads at once, and what that loads: not what is imported when it is needed, nor what is types alone. */
function loaded(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const [, clause = "", from = ""] of readFileSync(file, "utf8").matchAll(
    /^(?:import|export)\s(type\s)?[^;"]*?from\s"([^"]+)"/gm,
  )) {
    if (clause !== "") continue
    if (from.startsWith(".")) loaded(join(dirname(file), from.replace(/\.js$/, ".ts")), seen)
    else seen.add(from)
  }
  return seen
}

// Loading all that a delivery does took a third of the time of every verb that only makes one.
it.each(["config/index.ts", "pipelines/delivery.ts", "ci/gitlab/generate.ts"])(
  "%s loads nothing of what only a run needs",
  (entry) => {
    const all = [...loaded(join(root, entry))]
    expect(all.length).toBeGreaterThan(10)
    for (const heavy of ["@dagger.io/dagger", "dockerode", "execa", "undici", "semver", "tar-stream"])
      expect(all).not.toContain(heavy)
    expect(all.filter((file) => /\/(?:steps\/[^/]+\/run|environments\/index|engine\/index)\.ts$/.test(file))).toEqual(
      [],
    )
  },
)
