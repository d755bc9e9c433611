import { readCache } from "./cache.js"
import { whyNot, type Facts } from "./condition.js"
import type { Selection, StepNode } from "./events.js"
import { fingerprint } from "./fingerprint.js"
import { gatherNeeds } from "./outputs.js"
import type { Pipeline } from "./pipeline.js"
import { selectSteps } from "./select.js"
import { predecessors, type AnyStep, type RunInfo } from "./step.js"

export interface PlannedStep extends StepNode {
  /** `cached`: the result of an earlier run serves. `wait`: a person is asked. `effect`: changes the world outside. */
  readonly action: "run" | "cached" | "effect" | "wait" | "skip"
  /** Why it is skipped. */
  readonly reason?: string | undefined
  /** Key of the effect, where everything it depends on is known before the run. */
  readonly effectKey?: string | undefined
  readonly secrets: readonly string[]
  readonly missingSecrets: readonly string[]
}
export interface Plan {
  readonly pipeline: string
  readonly services: readonly string[]
  readonly commit: string
  readonly dirty: boolean
  readonly steps: readonly PlannedStep[]
}

/**
 * What a run would do, before anything runs.
 * @param known Outputs of steps that an earlier run of the same commit left: with them the cache can be asked.
 */
export async function makePlan(options: {
  readonly pipeline: Pipeline
  readonly selection: Selection
  readonly services: readonly string[]
  readonly facts: Facts
  readonly run: RunInfo
  readonly cacheRoot: string
  readonly known: ReadonlyMap<string, unknown>
  readonly hasSecret: (name: string) => boolean
}): Promise<Plan> {
  const { pipeline, facts, run, hasSecret } = options
  const outputs = new Map<string, unknown>()
  const skipped = new Set<string>()
  const steps: PlannedStep[] = []
  for (const s of selectSteps(pipeline, options.selection)) {
    const reason = s.when === undefined ? undefined : whyNot(s.when, facts)
    if (reason !== undefined) skipped.add(s.id)
    const complete = Object.values(s.needs)
      .flat()
      .every((need) => outputs.has((need as AnyStep).id) || skipped.has((need as AnyStep).id))
    const needs = gatherNeeds(s, (id) => outputs.get(id))
    const cached = complete && reason === undefined ? await cachedOutput(s, needs, run, options.cacheRoot) : undefined
    if (cached !== undefined) outputs.set(s.id, cached.output)
    else if (options.known.has(s.id)) outputs.set(s.id, options.known.get(s.id))
    steps.push({
      ...nodeOf(s),
      action: reason !== undefined ? "skip" : actionOf(s, cached !== undefined),
      reason,
      effectKey: complete ? effectKey(s, needs, run) : undefined,
      secrets: s.secrets,
      missingSecrets: reason === undefined ? s.secrets.filter((name) => !hasSecret(name)) : [],
    })
  }
  return { pipeline: pipeline.name, services: options.services, commit: run.commit, dirty: run.dirty, steps }
}

export function nodeOf(s: AnyStep): StepNode {
  const { stage, service, environment } = s.definition
  return { id: s.id, kind: s.kind, needs: predecessors(s).map((p) => p.id), stage, service, environment }
}

function actionOf(s: AnyStep, cached: boolean): PlannedStep["action"] {
  if (cached) return "cached"
  return s.kind === "pure" ? "run" : s.kind === "gate" ? "wait" : "effect"
}

async function cachedOutput(s: AnyStep, needs: Readonly<Record<string, unknown>>, run: RunInfo, root: string) {
  if (s.kind !== "pure" || s.definition.cache === false) return undefined
  const print = fingerprint(s, needs, run)
  return print === undefined ? undefined : readCache(root, s.id, print)
}

function effectKey(s: AnyStep, needs: Readonly<Record<string, unknown>>, run: RunInfo): string | undefined {
  return s.definition.effect?.key({ needs: needs as never, run })
}
