import { fault } from "./errors.js"
import { predecessors, type AnyStep } from "./step.js"

export interface Pipeline {
  readonly name: string
  readonly description?: string | undefined
  /** All steps, each behind everything it needs. */
  readonly steps: readonly AnyStep[]
  /** A failed step cancels the ones that run beside it. Default false: they finish, people want all the results. */
  readonly failFast: boolean
  /** Steps that share a job in CI, by its name; every other step has one of its own. See jobsOf. */
  readonly jobs: Readonly<Record<string, readonly AnyStep[]>>
}

/**
 * A pipeline is its targets and everything reachable from them through `needs` and `after`.
 * @throws PIPELINE-DUPLICATE, PIPELINE-CYCLE (with the whole path)
 */
export function pipeline(
  name: string,
  options: {
    readonly targets: readonly AnyStep[]
    readonly description?: string
    readonly failFast?: boolean
    readonly jobs?: Readonly<Record<string, readonly AnyStep[]>>
  },
): Pipeline {
  return Object.freeze({
    name,
    description: options.description,
    steps: Object.freeze(sortSteps(options.targets)),
    failFast: options.failFast ?? false,
    jobs: Object.freeze({ ...options.jobs }),
  })
}

/** Depth-first, without recursion: a chain of 10,000 steps must not exhaust the stack. */
function sortSteps(targets: readonly AnyStep[]): AnyStep[] {
  const sorted: AnyStep[] = []
  const byId = new Map<string, AnyStep>()
  const state = new Map<AnyStep, "open" | "done">()
  /** The step from which each was reached first. */
  const from = new Map<AnyStep, AnyStep | undefined>()
  const wayTo = (s: AnyStep): string[] => {
    const way: string[] = []
    for (let at: AnyStep | undefined = s; at !== undefined; at = from.get(at)) way.unshift(at.id)
    return way
  }
  for (const target of targets) {
    const path: { readonly step: AnyStep; readonly rest: AnyStep[] }[] = []
    const enter = (s: AnyStep) => {
      const same = byId.get(s.id)
      if (same !== undefined && same !== s) throw duplicate(s.id, wayTo(same), [...path.map((p) => p.step.id), s.id])
      byId.set(s.id, s)
      from.set(s, path[path.length - 1]?.step)
      state.set(s, "open")
      path.push({ step: s, rest: [...predecessors(s)].reverse() })
    }
    if (!state.has(target)) enter(target)
    while (path.length > 0) {
      const top = path[path.length - 1] as (typeof path)[number]
      const next = top.rest.pop()
      if (next === undefined) {
        state.set(top.step, "done")
        sorted.push(top.step)
        path.pop()
      } else if (!state.has(next)) {
        enter(next)
      } else if (state.get(next) === "open") {
        throw cycle([...path.map((p) => p.step.id).slice(path.findIndex((p) => p.step === next)), next.id])
      }
    }
  }
  return sorted
}

function duplicate(id: string, first: readonly string[], second: readonly string[]) {
  return fault({
    code: "PIPELINE-DUPLICATE",
    kind: "usage",
    message: `Two different steps are called "${id}"`,
    reason: `One is reached by ${first.join(" → ")}, the other by ${second.join(" → ")}.`,
    hint: "Give one of them another id; a decorated step (retry, timeout …) replaces the plain one everywhere.",
  })
}

function cycle(path: readonly string[]) {
  return fault({
    code: "PIPELINE-CYCLE",
    kind: "usage",
    message: `Steps need each other in a circle: ${path.join(" → ")}`,
    hint: "Remove one of these needs.",
  })
}
