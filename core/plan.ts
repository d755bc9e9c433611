import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { readCache, type CachedResult } from "./cache.js"
import { whyNot, type Facts } from "./condition.js"
import type { Selection, StepNode } from "./events.js"
import { fingerprint } from "./fingerprint.js"
import { hasObjects } from "./objects.js"
import { checkOutput, gatherNeeds } from "./outputs.js"
import type { Pipeline } from "./pipeline.js"
import { selectSteps } from "./select.js"
import { neededSteps, predecessors, type AnyStep, type RunInfo } from "./step.js"

export interface PlannedStep extends StepNode {
  /** `cached`: the result of an earlier run serves. `wait`: a person is asked. `effect`: changes the world outside. */
  readonly action: "run" | "cached" | "effect" | "wait" | "skip"
  /** What it will do that its name does not say. */
  readonly summary?: string | undefined
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
  const cached = await cachedSteps(options.cacheRoot)
  const outputs = new Map<string, unknown>()
  /** Steps whose outputs a run would give to others are known from here: read above, or skipped and so undefined. */
  const settled = new Set<string>()
  const steps: PlannedStep[] = []
  for (const s of selectSteps(pipeline, options.selection)) {
    const reason = s.when === undefined ? undefined : whyNot(s.when, facts)
    if (reason !== undefined) settled.add(s.id)
    const complete = neededSteps(s).every((need) => settled.has(need.id))
    let hit: CachedResult | undefined
    let key: string | undefined
    if (complete && reason === undefined) {
      const needs = gatherNeeds(s, (need) => outputs.get(need.id))
      if (cached.has(s.id)) hit = await cachedResult(s, needs, run, options.cacheRoot)
      key = effectKey(s, needs, run)
      const known = hit === undefined ? readable(s, options.known.get(s.id)) : hit.output
      if (hit !== undefined || known !== undefined) {
        outputs.set(s.id, known)
        settled.add(s.id)
      }
    }
    steps.push({
      ...nodeOf(s),
      action: reason !== undefined ? "skip" : actionOf(s, hit !== undefined),
      summary: s.definition.summary,
      reason,
      effectKey: key,
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

/** Ids of the steps of which the cache holds anything: spares the look-up for all the others. */
async function cachedSteps(root: string): Promise<ReadonlySet<string>> {
  return new Set(await readdir(join(root, "cache")).catch(() => []))
}

async function cachedResult(s: AnyStep, needs: Readonly<Record<string, unknown>>, run: RunInfo, root: string) {
  try {
    const print = fingerprint(s, needs, run)
    const hit = print === undefined ? undefined : readCache(root, s.id, print)
    if (hit === undefined || !(await hasObjects(root, hit.artifacts))) return undefined
    return { ...hit, output: checkOutput(s, hit.output) as CachedResult["output"] }
  } catch {
    return undefined // What a run could not use it makes anew.
  }
}

/** An output of an earlier run, unless the step has come to declare another one since. */
function readable(s: AnyStep, output: unknown): unknown {
  try {
    return output === undefined ? undefined : checkOutput(s, output)
  } catch {
    return undefined
  }
}

function effectKey(s: AnyStep, needs: Readonly<Record<string, unknown>>, run: RunInfo): string | undefined {
  try {
    return s.definition.effect?.key({ needs: needs as never, run })
  } catch {
    return undefined // A plan shows what can be known; the run will say what is wrong.
  }
}
