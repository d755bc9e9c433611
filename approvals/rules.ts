import type { Decision } from "./decisions.js"
import type { BoundEvidence, Demands } from "./evidence.js"
import { isSamePerson, mailbox, plainName, type Person } from "./person.js"
import { isSignedBy, type Approver, type Statement, type Via } from "./statement.js"

/** What a gate demands, and about what. All of it comes from the configuration and from git, none from a record. */
export interface GateRules extends Demands {
  readonly run: string
  readonly gate: string
  readonly environment: string
  readonly approvers: readonly Approver[]
  /** Author and co-authors of the commit: none of them may approve it. */
  readonly authors: readonly Person[]
  readonly evidenceHash: string
  /** In the pipeline of a code host: what is decided there counts when the host confirms it, and nothing unsigned besides. */
  readonly host?: HostRules
}

export interface HostRules {
  readonly kind: Via["host"]
  /** User names of the authors of the change: of the merge requests that brought the commit. */
  readonly authors: readonly string[]
}

export type Judgement =
  | { readonly verdict: "approved"; readonly by: readonly Statement[] }
  | { readonly verdict: "rejected"; readonly by: Statement }
  | {
      readonly verdict: "waiting"
      /** How many people more. */
      readonly missing: number
      /** Approvals that count. */
      readonly counted: readonly Statement[]
      readonly void: readonly VoidStatement[]
    }
/** A statement that does not count, and why. */
export interface VoidStatement {
  readonly statement: Statement
  readonly why: string
}

/** The rules for a piece of evidence. */
export function rulesFor({ evidence, hash }: BoundEvidence, approvers: readonly Approver[]): GateRules {
  const { run, gate, environment, authors, demands } = evidence
  return { ...demands, run, gate, environment, authors, approvers, evidenceHash: hash }
}

/**
 * Decides a gate from the statements about it. Pure; fails closed: an approval that is not plainly valid does not count, and
 * one valid rejection outweighs every approval, for good.
 */
export function judge(decisions: readonly Decision[], rules: GateRules, now: Date): Judgement {
  const approvals = new Map<Approver, Statement>()
  const voided: VoidStatement[] = []
  for (const decision of decisions) {
    const { statement } = decision
    const why = whyVoid(decision, rules, now)
    if (why !== undefined) voided.push({ statement, why })
    else if (statement.decision === "rejected") return { verdict: "rejected", by: statement }
    else approvals.set(approverOf(statement, rules) as Approver, statement)
  }
  const missing = rules.required - approvals.size
  return missing <= 0
    ? { verdict: "approved", by: [...approvals.values()] }
    : { verdict: "waiting", missing, counted: [...approvals.values()], void: voided }
}

/** Undefined when the statement counts. */
export function whyVoid(decision: Decision, rules: GateRules, now: Date): string | undefined {
  const { statement, filed, logged } = decision
  if (statement.run !== rules.run || statement.gate !== rules.gate || statement.environment !== rules.environment) {
    return "it is about another run or gate"
  }
  const approver = approverOf(statement, rules)
  if (approver === undefined) return `${statement.by} <${statement.email}> is not an approver`
  const unproven = whyUnproven(decision, approver, rules)
  // A "no" stands whatever became of the evidence since, however old it is, and whether or not its host answers.
  if (statement.decision === "rejected" && (unproven === undefined || statement.via !== undefined)) return undefined
  if (unproven !== undefined) return unproven
  if (statement.evidenceHash !== rules.evidenceHash) return "the evidence has changed since"
  const at = Date.parse(statement.at)
  const expires = Math.min(Date.parse(statement.expiresAt), at + rules.expiresAfterHours * hour)
  if (!(expires > now.getTime())) return `it expired at ${isoOf(expires)}`
  if (!(at <= now.getTime() + clockTolerance)) return "it is dated in the future"
  const refusal = whyMayNotApprove(approver, rules)
  if (refusal !== undefined) return refusal
  // The code host is the log of what happened there; jobs of a pipeline share no other.
  if (statement.via !== undefined) return undefined
  if (!logged && rules.host === undefined) return "the audit log does not hold it"
  return filed ? undefined : "it is not among the decisions of the run"
}

/** Undefined when it is certain whose word a statement is. */
function whyUnproven({ statement, confirmed }: Decision, approver: Approver, rules: GateRules): string | undefined {
  const { via } = statement
  if (via === undefined) {
    if (approver.publicKey !== undefined) {
      return isSignedBy(statement, approver.publicKey) ? undefined : `it is not signed with the key of ${approver.name}`
    }
    return rules.host === undefined
      ? undefined
      : "in a pipeline only what the code host confirms counts, or a signature"
  }
  const user = approver[via.host]
  if (user === undefined || !isSameUser(user, via.user)) {
    return `${via.user} is not the user name of ${approver.name} at ${via.host}`
  }
  if (confirmed === undefined) return `${via.host} was not asked about it`
  return confirmed === true ? undefined : confirmed
}

/** User names differ by more than case at both hosts. */
export function isSameUser(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}

/** Milliseconds. */
const hour = 3_600_000
/** Milliseconds that the clocks of two hosts may differ. */
const clockTolerance = 60_000

function isoOf(time: number): string {
  return Number.isFinite(time) ? new Date(time).toISOString() : "no time at all"
}

/** Undefined when this approver may say yes. To say no, being an approver is enough. */
export function whyMayNotApprove(
  approver: Approver,
  rules: Pick<GateRules, "authors" | "roles" | "host">,
): string | undefined {
  if (rules.authors.some((author) => isSamePerson(author, approver))) {
    return `${approver.name} is an author of the commit`
  }
  const user = rules.host === undefined ? undefined : approver[rules.host.kind]
  if (user !== undefined && rules.host?.authors.some((author) => isSameUser(author, user)) === true) {
    return `${approver.name} is the author of the merge request`
  }
  if (rules.roles.length > 0 && !rules.roles.includes(approver.role)) {
    return `${approver.name} is ${approver.role}; this gate asks for ${rules.roles.join(" or ")}`
  }
  return undefined
}

/** Those who may approve, for the one who looks for them. */
export function mayApprove(rules: Pick<GateRules, "approvers" | "authors" | "roles" | "host">): readonly Approver[] {
  return rules.approvers.filter((approver) => whyMayNotApprove(approver, rules) === undefined)
}

/** By e-mail address or by name, without regard to case. Undefined also when a name fits several. */
export function findApprover(who: string, approvers: readonly Approver[]): Approver | undefined {
  const byAddress = approvers.filter((a) => mailbox(a.email) === mailbox(who))
  const found = byAddress.length > 0 ? byAddress : approvers.filter((a) => plainName(a.name) === plainName(who))
  return found.length === 1 ? found[0] : undefined
}

/** By user name at a code host. */
export function findApproverOf(
  kind: HostRules["kind"],
  user: string,
  approvers: readonly Approver[],
): Approver | undefined {
  return approvers.find((approver) => isSameUser(approver[kind] ?? "", user))
}

/** The approver whose word a statement is: address, name and role have to be theirs. */
function approverOf(statement: Statement, rules: GateRules): Approver | undefined {
  return rules.approvers.find(
    (a) => a.email === statement.email && a.name === statement.by && a.role === statement.role,
  )
}
