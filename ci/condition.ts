import { all, any, type Condition } from "../core/condition.js"

/** A condition as far as it is open in CI, where a commit is delivered and never a dirty work tree. Undefined: it always holds. */
export function inCi(condition: Condition | undefined): Condition | undefined {
  switch (condition?.kind) {
    case undefined:
    case "clean":
      return undefined
    case "all": {
      const open = condition.of.map(inCi).filter((c) => c !== undefined)
      return open.length <= 1 ? open[0] : all(...open)
    }
    case "any": {
      const parts = condition.of.map(inCi)
      const open = parts.filter((c) => c !== undefined)
      if (open.length < parts.length) return undefined
      const different = [...new Map(open.map((c) => [JSON.stringify(c), c])).values()]
      return different.length === 1 ? different[0] : any(...different)
    }
    default:
      return condition
  }
}

/** Whether the condition, or a part of it, is of this kind. */
export function asksFor(kind: Condition["kind"], condition: Condition | undefined): boolean {
  if (condition === undefined) return false
  if (condition.kind === "all" || condition.kind === "any") return condition.of.some((part) => asksFor(kind, part))
  return condition.kind === kind
}

/** Branches that a condition names. */
export function branchesOf(condition: Condition | undefined): readonly string[] {
  if (condition?.kind === "branch") return condition.names
  return condition?.kind === "all" || condition?.kind === "any" ? condition.of.flatMap(branchesOf) : []
}
