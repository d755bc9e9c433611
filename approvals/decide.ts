import { fault } from "../core/errors.js"
import { gatesOf, keepStatement, readEvidence } from "./ledger.js"
import { findApprover, whyMayNot } from "./rules.js"
import { signStatement, type Approver, type Statement } from "./statement.js"

/**
 * Notes a person's decision about the gate of a run.
 * @throws APPROVAL-NOTHING when no gate waits, APPROVAL-REFUSED when this person may not decide, APPROVAL-REASON
 */
export async function decide(options: {
  readonly storeRoot: string
  readonly runDir: string
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
  const gate = options.gate ?? (await gatesOf(options.runDir))[0]
  if (gate === undefined) {
    throw fault({
      code: "APPROVAL-NOTHING",
      kind: "usage",
      message: `Run ${options.run} waits for no decision`,
      hint: `\`gantry show ${options.run}\` tells how far it is.`,
    })
  }
  if (options.reason.trim() === "") {
    throw fault({
      code: "APPROVAL-REASON",
      kind: "usage",
      message: "A decision needs a reason",
      hint: 'Say why: --reason "release 2.4, tested by QA"',
    })
  }
  const file = await readEvidence(options.runDir, gate)
  const approver = findApprover(options.as, options.approvers)
  const refusal = whyMayNot(
    { by: options.as, email: approver?.email ?? options.as },
    { approvers: options.approvers, author: file.author, roles: file.roles },
  )
  if (approver === undefined || refusal !== undefined) {
    throw fault({
      code: "APPROVAL-REFUSED",
      kind: "failed",
      message: `${options.as} cannot decide gate ${gate}`,
      reason: refusal,
      hint: "Somebody else has to decide: approvers are listed in gantry.config.ts.",
    })
  }
  if (approver.publicKey !== undefined && options.privateKey === undefined) {
    throw fault({
      code: "APPROVAL-UNSIGNED",
      kind: "usage",
      message: `${approver.name} decides with a signature`,
      reason: "A public key is configured for this approver.",
      hint: "Add --key <file of the private key>.",
    })
  }
  const now = options.now ?? new Date()
  const statement: Statement = {
    schema: 1,
    run: options.run,
    gate,
    environment: file.environment,
    decision: options.decision,
    by: approver.name,
    email: approver.email,
    role: approver.role,
    reason: options.reason.trim(),
    at: now.toISOString(),
    expiresAt: new Date(now.getTime() + file.expiresAfterHours * 3_600_000).toISOString(),
    evidenceHash: file.evidenceHash,
  }
  const signed = options.privateKey === undefined ? statement : signStatement(statement, options.privateKey)
  await keepStatement(options.storeRoot, options.runDir, signed)
  return signed
}
