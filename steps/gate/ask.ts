import { join } from "node:path"
import {
  keepHostStatement,
  judge,
  mayApprove,
  rulesFor,
  writeEvidence,
  type BoundEvidence,
  type GateRules,
  type Judgement,
  type Statement,
} from "../../approvals/index.js"
import { fault, type Fault } from "../../core/errors.js"
import type { Context, Needs, RunInfo } from "../../core/step.js"
import type { HostAccess } from "../code-host.js"
import type { Approval } from "../outputs.js"
import type { Settings } from "../settings.js"
import { commitFacts } from "./authors.js"
import { contradiction, evidenceOf, gateId, warningsOf, type GateNeeds } from "./evidence.js"
import { askHost, fileStatements, heldDecisions, statementOf, type HostGate } from "./host.js"
import { entitledPlayer, ownPlay, playVariables } from "./play.js"

export type GateContext = Pick<Context<Needs, never>, "run" | "log" | "publish" | "artifacts" | "signal"> & {
  readonly needs: GateNeeds
  mask?(value: string): void
}

/**
 * Puts the evidence up for decision and looks whether it has been decided: on a machine by what `gantry approve` left, in the
 * pipeline of a code host by who played the gate's job there, or reviewed its environment.
 * @throws GATE-WAITING, GATE-REJECTED, GATE-INCONSISTENT, GATE-COMMIT, AUDIT-BROKEN; in a pipeline also GATE-NOT-APPROVER,
 *   GATE-AUTHOR, GATE-ROLE, GATE-DECISION, GATE-UNPROVEN, CODEHOST-…
 */
export async function askGate(
  context: GateContext,
  settings: Settings,
  environment: string,
  now: Date = new Date(),
  access: Pick<HostAccess, "env" | "policy"> = {},
): Promise<Approval> {
  const { needs, run, log, publish, artifacts } = context
  const facts = await commitFacts(run, context.signal)
  const doubt = contradiction(run, facts, needs)
  if (doubt !== undefined) throw doubt
  const evidence = await writeEvidence(run.dir, evidenceOf(settings, environment, run, facts, needs))
  for (const warning of warningsOf(needs)) log.warn(warning)
  await artifacts.put("evidence.json", { text: JSON.stringify(evidence.evidence, null, 2) + "\n" })

  const { signal } = context
  const mask = (value: string) => context.mask?.(value)
  const host = await askHost(settings, environment, run, { ...access, signal, mask })
  const rules: GateRules = { ...rulesFor(evidence, settings.approvers), ...(host && { host: host.rules }) }
  if (host !== undefined) await takeIn(host, evidence, rules, access.env ?? process.env, log, now)
  const decisions = await heldDecisions(host, run)
  const judgement = judge(decisions, rules, now)
  if (judgement.verdict === "waiting") {
    for (const { statement, why } of judgement.void) {
      log.warn(`the decision of ${statement.by} (${statement.at}) does not count: ${why}`)
    }
    throw waiting(run, judgement, rules, host, warningsOf(needs))
  }
  const tell = (statement: Statement) =>
    publish({
      kind: "approval",
      decision: statement.decision,
      by: statement.by,
      reason: statement.reason,
      at: statement.at,
      evidenceHash: statement.evidenceHash,
    })
  if (judgement.verdict === "rejected") {
    tell(judgement.by)
    throw rejected(judgement.by)
  }
  for (const statement of judgement.by) {
    tell(statement)
    log.info(`Approved by ${statement.by} (${statement.role}): ${statement.reason}`)
  }
  return approvalOf(judgement.by, rules)
}

/** Files what people did at the host; the one who played this job first, who is refused aloud. */
async function takeIn(
  host: HostGate,
  evidence: BoundEvidence,
  rules: GateRules,
  env: Readonly<Record<string, string | undefined>>,
  log: GateContext["log"],
  now: Date,
): Promise<void> {
  const act = await ownPlay(host, env)
  if (act !== undefined) {
    const said = playVariables(env)
    const approver = entitledPlayer(host, rules, act, said.decision)
    await keepHostStatement(host.run.dir, statementOf(host, evidence, rules, approver, act, said, now))
  }
  await fileStatements(host, evidence, rules, act?.id, log, now)
}

function approvalOf(statements: readonly Statement[], rules: GateRules): Approval {
  const ends = statements.map((s) =>
    Math.min(Date.parse(s.expiresAt), Date.parse(s.at) + rules.expiresAfterHours * 3_600_000),
  )
  return {
    decision: "approved",
    by: statements.map((s) => s.by).join(", "),
    reason: statements.map((s) => s.reason).join("; "),
    at:
      statements
        .map((s) => s.at)
        .sort()
        .at(-1) ?? "",
    expiresAt: new Date(Math.min(...ends)).toISOString(),
    evidenceHash: rules.evidenceHash,
  }
}

function rejected(statement: Statement): Fault {
  return fault({
    code: "GATE-REJECTED",
    kind: "failed",
    message: `${statement.by} rejected the release to ${statement.environment}`,
    reason: statement.reason,
    hint: "The decision stands for this run. Fix what was wrong and deliver a new commit.",
  })
}

function waiting(
  run: RunInfo,
  judgement: Extract<Judgement, { verdict: "waiting" }>,
  rules: GateRules,
  host: HostGate | undefined,
  warnings: readonly string[],
): Fault {
  const { missing, counted } = judgement
  const able = mayApprove(rules).filter((a) => !counted.some((s) => s.email === a.email))
  const evidence = join(run.dir, "approvals", gateId, "evidence.json")
  const so = counted.length === 0 ? "" : `Approved so far by ${counted.map((s) => s.by).join(", ")}. `
  const names = able.map((a) => `${a.name} <${a.email}>`).join(", ")
  const as = able[0]?.name ?? "<name>"
  const here =
    host === undefined
      ? `gantry approve ${run.id} --as "${as}" --reason "…"   or   gantry reject ${run.id} --as "${as}" --reason "…", then gantry resume ${run.id}`
      : host.rules.kind === "gitlab"
        ? "One of them retries this job in GitLab; variables GANTRY_REASON=… and GANTRY_DECISION=reject say more."
        : "One of them reviews the environment of this workflow run in GitHub, then the job is run again."
  return fault({
    code: "GATE-WAITING",
    kind: "waiting",
    message: `Waiting for ${missing === 1 ? "a person" : `${missing} people`} to decide about ${rules.environment}`,
    reason: `${warnings.map((w) => `${w}. `).join("")}${so}May approve: ${names || "nobody; no approver but authors of the commit is configured"}. Evidence: ${evidence}`,
    hint: able.length < missing ? `List more \`approvers\` in gantry.config.ts, then: gantry resume ${run.id}` : here,
  })
}
