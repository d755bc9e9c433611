import type { RunRecord, StepRecord } from "../core/record.js"
import { facts, type Fact } from "./parity-facts.js"

/** One thing that two runs do not have in common. */
export interface Difference {
  /** Id of the step; undefined: of the run as a whole. */
  readonly step?: string
  readonly what: string
  /** What the first and the second run say; undefined: nothing. */
  readonly a: string | undefined
  readonly b: string | undefined
  /** Why it may be so, for the one who has to find out. */
  readonly why?: string
}

export interface Parity {
  /** How many facts both runs agree about. */
  readonly agreed: number
  /** What has to be the same and is not. */
  readonly differences: readonly Difference[]
  /** What may differ between two runs of one commit, and does: addresses, digests of images that were built twice. */
  readonly allowed: readonly Difference[]
}

/**
 * Whether two runs did the same: the same steps with the same outcomes, the same tree, tests, findings, quality gates and
 * configurations. Times, addresses and who decided are allowed to differ; those that differ are told apart.
 */
export function compareRuns(a: RunRecord, b: RunRecord): Parity {
  const ids = [...new Set([...a.steps, ...b.steps].map((s) => s.id))]
  let agreed = 0
  const differences: Difference[] = []
  const allowed: Difference[] = []
  for (const fact of runDifferences(a, b)) {
    if (fact.a === fact.b) agreed += 1
    else differences.push(fact)
  }
  for (const id of ids) {
    const first = a.steps.find((s) => s.id === id)
    const second = b.steps.find((s) => s.id === id)
    if (first === undefined || second === undefined) {
      differences.push(missing(id, first, second, a, b))
      continue
    }
    const [before, after] = [facts(first), facts(second)]
    for (const what of new Set([...before.keys(), ...after.keys()])) {
      const [x, y] = [before.get(what), after.get(what)]
      if (x?.text === y?.text) {
        agreed += 1
        continue
      }
      const difference = { step: id, what, ...sides(x, y), ...because(what, first, second, x, y) }
      if ((x ?? y)?.may === true) allowed.push(difference)
      else differences.push(difference)
    }
  }
  return { agreed, differences, allowed }
}

function runDifferences(a: RunRecord, b: RunRecord): readonly Difference[] {
  return [
    { what: "pipeline", a: a.pipeline, b: b.pipeline },
    {
      what: "commit",
      a: a.commit,
      b: b.commit,
      why: "The runs are about two commits, so trees, images and results may differ for that reason alone.",
    },
    { what: "services", a: [...a.services].sort().join(", "), b: [...b.services].sort().join(", "), why: affected },
    { what: "work tree", a: a.dirty ? "dirty" : "clean", b: b.dirty ? "dirty" : "clean" },
    { what: "outcome", a: a.status, b: b.status },
  ]
}

const affected =
  "One of them was limited to some services: by --service, or because the change did not touch the others (--changed-since)."

function missing(
  id: string,
  first: StepRecord | undefined,
  second: StepRecord | undefined,
  a: RunRecord,
  b: RunRecord,
): Difference {
  const service = (first ?? second)?.service
  const without = first === undefined ? a : b
  const why =
    service !== undefined && !without.services.includes(service)
      ? affected
      : without.selection.until !== undefined || without.selection.only !== undefined
        ? `Run ${without.id} covers a part of the pipeline (--until or --only).`
        : "The runs were made by two versions of the pipeline."
  return { step: id, what: "step", a: presence(first), b: presence(second), why }
}

const presence = (step: StepRecord | undefined) => (step === undefined ? undefined : "there")

/** Of two lists, what only one of them has. */
function sides(a: Fact | undefined, b: Fact | undefined): Pick<Difference, "a" | "b"> {
  const { items: first } = a ?? {}
  const { items: second } = b ?? {}
  if (first === undefined || second === undefined) return { a: a?.text, b: b?.text }
  return { a: onlyIn(first, second), b: onlyIn(second, first) }
}

function onlyIn(these: readonly string[], others: readonly string[]): string {
  const left = new Map<string, number>()
  for (const item of others) left.set(item, (left.get(item) ?? 0) + 1)
  const only = these.filter((item) => {
    const count = left.get(item) ?? 0
    left.set(item, count - 1)
    return count <= 0
  })
  return only.length === 0 ? "nothing that the other lacks" : `only here: ${only.join(", ")}`
}

/** The reason that the records themselves give. */
function because(
  what: string,
  first: StepRecord,
  second: StepRecord,
  a: Fact | undefined,
  b: Fact | undefined,
): { readonly why?: string } {
  if (what === "outcome") {
    const reasons = [first, second].map((s) => s.reason ?? s.error?.message)
    const told = reasons.flatMap((reason, i) =>
      reason === undefined ? [] : [`${i === 0 ? "first" : "second"}: ${reason}`],
    )
    return told.length === 0 ? {} : { why: told.join("; ") }
  }
  const why = a?.why ?? b?.why
  return why === undefined ? {} : { why }
}
