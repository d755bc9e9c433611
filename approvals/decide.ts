import { fault } from "../core/errors.js"
import { readRun, type Store } from "../core/store.js"
import { nearest } from "../core/suggest.js"
import { keepStatement, readDecisions } from "./decisions.js"
import { gatesOf, readEvidence, type BoundEvidence } from "./evidence.js"
import { findApprover, judge, mayApprove, rulesFor, whyMayNotApprove, type GateRules } from "./rules.js"
import { isSignedBy, signStatement, type Approver, type Statement } from "./statement.js"

/** A decision that can be made: about what, and what the rules are. */
export interface Proposal {
  readonly evidence: BoundEvidence
  readonly rules: GateRules
}

/**
 * What waits for a decision in a run.
 * @param gate Undefined: the only one.
 * @throws APPROVAL-NOTHING, APPROVAL-GATE, APPROVAL-LATE when the run is over, APPROVAL-EVIDENCE
 */
export async function proposalOf(
  store: Store,
  run: string,
  gate: string | undefined,
  approvers: readonly Approver[],
): Promise<Proposal> {
  const record = await readRun(store, run)
  const runDir = store.runDir(run)
  const gates = await gatesOf(runDir)
  const name = gate ?? (gates.length === 1 ? gates[0] : undefined)
  if (gates.length === 0) {
    throw fault({
      code: "APPROVAL-NOTHING",
      kind: "usage",
      message: `Run ${run} waits for no decision`,
      hint: `\`gantry show ${run}\` tells how far it is.`,
    })
  }
  if (name === undefined || !gates.includes(name)) {
    const near = name === undefined ? undefined : nearest(name, gates)
    throw fault({
      code: "APPROVAL-GATE",
      kind: "usage",
      message:
        name === undefined
          ? `Run ${run} has several gates: ${gates.join(", ")}`
          : `Run ${run} has no gate "${name}" that asks${near === undefined ? "" : `; did you mean "${near}"?`}`,
      hint: `Say which one: --gate ${near ?? gates[0]}`,
    })
  }
  // A gate that let the run pass may be asked again: its approval can expire before the rollout has begun.
  if (record.status === "success") {
    throw fault({
      code: "APPROVAL-LATE",
      kind: "usage",
      message: `Run ${run} has ended with success; there is nothing left to decide`,
      hint: "To take the release back, deliver an earlier commit: gantry run <pipeline> --commit <revision>",
    })
  }
  const evidence = await readEvidence(runDir, run, name)
  return { evidence, rules: rulesFor(evidence, approvers) }
}

/**
 * Notes a person's decision about the gate of a run.
 * @throws the errors of `proposalOf`, APPROVAL-REFUSED when this person may not decide, APPROVAL-SETTLED when it is decided,
 *   APPROVAL-TWICE, APPROVAL-REASON, APPROVAL-UNSIGNED, APPROVAL-KEY, AUDIT-BROKEN
 */
export async function decide(options: {
  readonly store: Store
  readonly run: string
  readonly gate?: string | undefined
  readonly as: string
  readonly reason: string
  readonly decision: Statement["decision"]
  readonly approvers: readonly Approver[]
  /** PEM of the person's Ed25519 private key. */
  readonly privateKey?: string | undefined
  readonly now?: Date
}): Promise<Statement> {
  const { store, run, decision } = options
  const now = options.now ?? new Date()
  const { evidence, rules } = await proposalOf(store, run, options.gate, options.approvers)
  if (options.reason.trim() === "") {
    throw fault({
      code: "APPROVAL-REASON",
      kind: "usage",
      message: "A decision needs a reason",
      hint: 'Say why: --reason "release 2.4, tested by QA"',
    })
  }
  const approver = entitled(options.as, decision, rules)
  const judgement = judge(await readDecisions(store.root, store.runDir(run), run, rules.gate), rules, now)
  refuseSettled(run, decision, approver, judgement)

  const statement: Statement = {
    schema: 1,
    run,
    gate: rules.gate,
    environment: rules.environment,
    decision,
    by: approver.name,
    email: approver.email,
    role: approver.role,
    reason: options.reason.trim(),
    at: now.toISOString(),
    expiresAt: new Date(now.getTime() + rules.expiresAfterHours * 3_600_000).toISOString(),
    evidenceHash: evidence.hash,
  }
  const kept = signed(statement, approver, options.privateKey)
  if (kept.signature === undefined && isPipelineRun(run)) throw decidedThere(run)
  await keepStatement(store.root, store.runDir(run), kept)
  return kept
}

/** Ids of runs that the jobs of a pipeline share. */
export const isPipelineRun = (run: string) => /^(gitlab|github)-\d+$/.test(run)

function decidedThere(run: string) {
  const host = run.startsWith("gitlab") ? "GitLab" : "GitHub"
  return fault({
    code: "APPROVAL-UNSIGNED",
    kind: "usage",
    message: `The gate of ${run} is decided in ${host}`,
    reason: "A decision that is neither confirmed there nor signed proves nothing to the jobs of a pipeline.",
    hint: host === "GitLab" ? "Play the job `gate` of the pipeline." : "Review the environment of the workflow run.",
  })
}

function entitled(who: string, decision: Statement["decision"], rules: GateRules): Approver {
  const approver = findApprover(who, rules.approvers)
  const refusal =
    approver === undefined
      ? `"${who}" is not an approver, or names several`
      : decision === "rejected"
        ? undefined
        : whyMayNotApprove(approver, rules)
  if (approver !== undefined && refusal === undefined) return approver
  const able = (decision === "rejected" ? rules.approvers : mayApprove(rules)).map((a) => `${a.name} <${a.email}>`)
  throw fault({
    code: "APPROVAL-REFUSED",
    kind: "failed",
    message: `${approver?.name ?? who} may not ${decision === "approved" ? "approve" : "reject"} this release`,
    reason: refusal,
    hint:
      able.length > 0
        ? `May do so: ${able.join(", ")}. Approvers are listed in gantry.config.ts.`
        : "Nobody may. List approvers who are not authors of the commit in gantry.config.ts.",
  })
}

function refuseSettled(
  run: string,
  decision: Statement["decision"],
  approver: Approver,
  judgement: ReturnType<typeof judge>,
): void {
  if (judgement.verdict === "rejected") {
    const { by, at, reason } = judgement.by
    throw fault({
      code: "APPROVAL-SETTLED",
      kind: "usage",
      message: `${by} has rejected this release`,
      reason: `${at}: ${reason}`,
      hint: "A rejection stands for its run. Deliver a new commit, or this one in a new run.",
    })
  }
  // Who has approved, and everybody else, may still say no.
  if (decision === "rejected") return
  if (judgement.verdict === "approved") {
    throw fault({
      code: "APPROVAL-SETTLED",
      kind: "usage",
      message: `This release has been approved by ${judgement.by.map((s) => s.by).join(" and ")}`,
      hint: `gantry resume ${run}`,
    })
  }
  if (judgement.counted.some((s) => s.email === approver.email)) {
    throw fault({
      code: "APPROVAL-TWICE",
      kind: "usage",
      message: `${approver.name} has approved this release already`,
      reason: `It needs ${judgement.missing} more, of somebody else.`,
      hint: `\`gantry show ${run}\` tells who has decided.`,
    })
  }
}

function signed(statement: Statement, approver: Approver, privateKey: string | undefined): Statement {
  if (privateKey !== undefined) {
    const result = signStatement(statement, privateKey)
    if (approver.publicKey === undefined || isSignedBy(result, approver.publicKey)) return result
    throw fault({
      code: "APPROVAL-KEY",
      kind: "usage",
      message: `This is not the key of ${approver.name}`,
      reason: "The signature does not fit the public key in gantry.config.ts.",
      hint: "Give your own key: --key <file>",
    })
  }
  if (approver.publicKey === undefined) return statement
  throw fault({
    code: "APPROVAL-UNSIGNED",
    kind: "usage",
    message: `${approver.name} decides with a signature`,
    reason: "A public key is configured for this approver.",
    hint: "Add --key <file of the private key>.",
  })
}
