import { hashJson } from "./json.js"
import type { AnyStep, RunInfo } from "./step.js"

/** Raised when the meaning of records or fingerprints changes: results of older Gantry versions are not taken. */
const format = 1

/**
 * What a pure step's result depends on; undefined for steps that are never cached.
 * - `id`: two steps with the same code are two steps, people read their logs apart.
 * - `version`, `params`: what `run` closes over is not visible from outside, so the step states it.
 * - `inputs`: what `cache` answers, else all outputs of the needs.
 */
export function fingerprint(s: AnyStep, needs: Readonly<Record<string, unknown>>, run: RunInfo): string | undefined {
  const { cache, version, params } = s.definition
  if (s.kind !== "pure" || cache === false) return undefined
  const inputs = cache === undefined ? needs : cache({ needs: needs as never, run })
  return hashJson({ format, id: s.id, version: version ?? 1, params: params ?? null, inputs })
}
