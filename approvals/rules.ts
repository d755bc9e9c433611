import { isSignedBy, type Approver, type Statement } from "./statement.js"

/** What a gate demands. */
export interface GateRules {
  readonly gate: string
  readonly run: string
  readonly environment: string
  readonly required: number
  /** Roles that may decide; empty: every approver. */
  readonly roles: readonly string[]
  readonly approvers: readonly Approver[]
  readonly author: { readonly name: string; readonly email: string }
  readonly evidenceHash: string
}

export type Judgement =
  | { readonly verdict: "approved"; readonly by: readonly Statement[] }
  | { readonly verdict: "rejected"; readonly by: Statement }
  | { readonly verdict: "waiting"; readonly missing: number; readonly void: readonly VoidStatement[] }
/** A statement that does not count, and why. */
export interface VoidStatement {
  readonly statement: Statement
  readonly why: string
}

/** Decides a gate from the statements about it. Pure; fails closed: what is not plainly valid does not count. */
export function judge(statements: readonly Statement[], rules: GateRules, now: Date): Judgement {
  const valid: Statement[] = []
  const voided: VoidStatement[] = []
  for (const statement of statements) {
    const why = whyVoid(statement, rules, now)
    if (why === undefined) valid.push(statement)
    else voided.push({ statement, why })
  }
  const rejection = valid.find((s) => s.decision === "rejected")
  if (rejection !== undefined) return { verdict: "rejected", by: rejection }
  const people = new Map(valid.map((s) => [s.email.toLowerCase(), s]))
  const missing = rules.required - people.size
  return missing <= 0
    ? { verdict: "approved", by: [...people.values()] }
    : { verdict: "waiting", missing, void: voided }
}

/** Undefined when the statement counts. */
export function whyVoid(statement: Statement, rules: GateRules, now: Date): string | undefined {
  if (statement.run !== rules.run || statement.gate !== rules.gate || statement.environment !== rules.environment) {
    return "it is about another run or gate"
  }
  if (statement.evidenceHash !== rules.evidenceHash) return "the evidence has changed since"
  if (!(Date.parse(statement.expiresAt) > now.getTime())) return `it expired at ${statement.expiresAt}`
  if (!(Date.parse(statement.at) <= now.getTime() + 60_000)) return "it is dated in the future"
  const refusal = whyMayNot(statement, rules)
  if (refusal !== undefined) return refusal
  const approver = findApprover(statement.email, rules.approvers)
  if (approver?.publicKey !== undefined && !isSignedBy(statement, approver.publicKey)) {
    return `it is not signed with the key of ${approver.name}`
  }
  return undefined
}

/** Undefined when this person may decide this gate. */
export function whyMayNot(
  person: { readonly by: string; readonly email: string },
  rules: Pick<GateRules, "approvers" | "author" | "roles">,
): string | undefined {
  const approver = findApprover(person.email, rules.approvers)
  if (approver === undefined) {
    return `${person.by} is not an approver (${rules.approvers.map((a) => a.name).join(", ") || "none is configured"})`
  }
  if (isAuthor(approver, rules.author)) return `${approver.name} is the author of the commit`
  if (rules.roles.length > 0 && !rules.roles.includes(approver.role)) {
    return `${approver.name} is ${approver.role}; this gate asks for ${rules.roles.join(" or ")}`
  }
  return undefined
}

/** By e-mail address or by name, without regard to case. */
export function findApprover(who: string, approvers: readonly Approver[]): Approver | undefined {
  const wanted = who.trim().toLowerCase()
  return (
    approvers.find((a) => a.email.toLowerCase() === wanted) ?? approvers.find((a) => a.name.toLowerCase() === wanted)
  )
}

function isAuthor(approver: Approver, author: GateRules["author"]): boolean {
  return (
    approver.email.toLowerCase() === author.email.toLowerCase() ||
    approver.name.toLowerCase() === author.name.toLowerCase()
  )
}
