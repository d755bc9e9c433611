import { hashJson } from "./json.js"
import type { AnyStep, RunInfo } from "./step.js"

/** Raised when the meaning of records or fingerprints changes: results of older Gantry versions are not taken. */
const format = 1

/**
 * What a pure step's result depends on; undefined for steps that are never cached.
 * - `id`: two steps with the same code are two steps, people read their logs apart.
 * - `version`, `params`: what `run` closes over is not visible from outside, so the step states it.
 * - `code`: the text of `run` itself, so that somebody who edits a step of a pipeline does not get the old result. It does not
 *   reach into the functions that `run` calls; for those there is `version`.
 * - `inputs`: what `cache` answers, else all outputs of the needs. A step that needs nothing and says nothing about its inputs
 *   can only be reading the project: then the commit is its input, and a dirty work tree, which has no name, is never cached.
 */
export function fingerprint(s: AnyStep, needs: Readonly<Record<string, unknown>>, run: RunInfo): string | undefined {
  const { cache, version, params } = s.definition
  if (s.kind !== "pure" || cache === false) return undefined
  const bare = cache === undefined && Object.keys(s.needs).length === 0
  if (bare && run.dirty) return undefined
  const inputs = cache !== undefined ? cache({ needs: needs as never, run }) : bare ? { commit: run.commit } : needs
  const code = String(s.definition.run)
  return hashJson({ format, id: s.id, version: version ?? 1, params: params ?? null, code, inputs })
}
