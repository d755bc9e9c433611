import { fault } from "./errors.js"
import type { Selection } from "./events.js"
import type { Pipeline } from "./pipeline.js"
import { neededSteps, predecessors, type AnyStep } from "./step.js"
import { nearest } from "./suggest.js"

/**
 * The steps of a pipeline that a run covers, each behind what it needs.
 * `until`: up to that step and no further. `only`: that step and the pure steps whose outputs it needs, without the ones
 * that merely come before it. Both take a whole id, or its end without the service (`image` for every `<service>.image`).
 * @throws STEP-UNKNOWN (with the nearest name), SELECT-EFFECT, SELECT-GATE
 */
export function selectSteps(pipeline: Pipeline, selection: Selection): readonly AnyStep[] {
  const { until, only } = selection
  if (until !== undefined) return closure(pipeline, findSteps(pipeline, until), predecessors)
  if (only === undefined) return pipeline.steps
  const wanted = findSteps(pipeline, only)
  const selected = closure(pipeline, wanted, neededSteps)
  const effect = selected.find((s) => s.kind !== "pure" && !wanted.includes(s))
  if (effect !== undefined) {
    throw fault({
      code: "SELECT-EFFECT",
      kind: "usage",
      message: `${only} cannot run alone: it needs the output of ${effect.id}, which ${effect.kind === "gate" ? "asks a person" : "has an effect"}`,
      hint: `Run everything up to it: --until ${only}`,
    })
  }
  const gate = wanted.some((s) => s.kind === "effect")
    ? closure(pipeline, wanted, predecessors).find((s) => s.kind === "gate")
    : undefined
  if (gate !== undefined) {
    throw fault({
      code: "SELECT-GATE",
      kind: "usage",
      message: `${only} cannot run alone: ${gate.id} stands before it, and a gate is not walked around`,
      hint: `Run everything up to it: --until ${only}`,
    })
  }
  return selected
}

/** Steps that a name means: its id, or every id that ends in `.<name>`. @throws STEP-UNKNOWN */
export function findSteps(pipeline: Pipeline, name: string): readonly AnyStep[] {
  const found = pipeline.steps.filter((s) => s.id === name || s.id.endsWith(`.${name}`))
  if (found.length > 0) return found
  const near = nearest(
    name,
    pipeline.steps.map((s) => s.id),
  )
  throw fault({
    code: "STEP-UNKNOWN",
    kind: "usage",
    message: `Pipeline ${pipeline.name} has no step "${name}"${near === undefined ? "" : `; did you mean "${near}"?`}`,
    hint: `\`gantry plan ${pipeline.name}\` lists its steps.`,
  })
}

function closure(
  pipeline: Pipeline,
  from: readonly AnyStep[],
  edges: (s: AnyStep) => readonly AnyStep[],
): readonly AnyStep[] {
  const wanted = new Set<AnyStep>()
  const open = [...from]
  for (let s = open.pop(); s !== undefined; s = open.pop()) {
    if (wanted.has(s)) continue
    wanted.add(s)
    open.push(...edges(s))
  }
  return pipeline.steps.filter((s) => wanted.has(s))
}
