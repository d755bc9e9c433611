import { createTwoFilesPatch } from "diff"
import type { Drift } from "./write.js"

const meaning: Readonly<Record<Drift["kind"], string>> = {
  missing: "is missing",
  stale: "is not what the pipeline and gantry.config.ts make now",
  edited: "has been edited by hand since it was made",
  foreign: "was not made by Gantry",
  extra: "is no longer made",
}

/** What differs, as a unified diff from the file on disk to what it should be. */
export function renderDrift(drift: Drift): string {
  const { path, kind, before, after } = drift
  const [from, to] = [kind === "missing" ? "/dev/null" : `a/${path}`, kind === "extra" ? "/dev/null" : `b/${path}`]
  const patch = createTwoFilesPatch(from, to, before, after, undefined, undefined, { context: 3 })
  return `${path} ${meaning[kind]}\n${patch.replace(/^={5,}\n/m, "")}`
}
