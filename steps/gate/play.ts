import { findApproverOf, type GateRules, type Statement, whyMayNotApprove } from "../../approvals/index.js"
import { hostName, type HostDecision } from "../../clients/codehost/index.js"
import { fault } from "../../core/errors.js"
import type { HostGate } from "./host.js"

type Env = Readonly<Record<string, string | undefined>>

/** What the person who played the gate's job gave along as variables. @throws GATE-DECISION */
export function playVariables(env: Env): {
  readonly decision: Statement["decision"]
  readonly reason: string | undefined
} {
  const said = (env["GANTRY_DECISION"] ?? "").trim().toLowerCase()
  const reason = env["GANTRY_REASON"]?.trim() === "" ? undefined : env["GANTRY_REASON"]
  if (said === "" || said === "approve" || said === "approved") return { decision: "approved", reason }
  if (said === "reject" || said === "rejected") return { decision: "rejected", reason }
  throw fault({
    code: "GATE-DECISION",
    kind: "usage",
    message: `GANTRY_DECISION is "${said.slice(0, 40)}"; it takes approve or reject`,
    hint: "Play the job again with GANTRY_DECISION=reject, or without it to approve. Nothing was decided.",
  })
}

/**
 * The play of the gate's job that this process is: by the job's own token where there is one, else by its number, and in
 * either case as the host lists it.
 * @throws GATE-UNPROVEN when the host does not know it; CODEHOST-…
 */
export async function ownPlay(gate: HostGate, env: Env): Promise<HostDecision | undefined> {
  if (gate.host.place.kind === "github") return undefined
  const proven = await gate.host.ownPlay()
  const id = proven?.id ?? env["CI_JOB_ID"] ?? ""
  const listed = gate.told.find((act) => act.how === "play" && act.id === id)
  if (listed !== undefined && (proven === undefined || proven.user === listed.user)) return listed
  throw fault({
    code: "GATE-UNPROVEN",
    kind: "failed",
    message: `${hostName(gate.host.place)} does not know who played this gate`,
    reason: `Job ${id || "(no number)"} is not among the played jobs of the gate in pipeline ${gate.pipeline}.`,
    hint: "Play the job `gate` of this pipeline; it decides nothing when it is run in another way.",
  })
}

/**
 * The approver who played.
 * @throws GATE-NOT-APPROVER, GATE-AUTHOR, GATE-ROLE (failed): the play decided nothing
 */
export function entitledPlayer(
  gate: HostGate,
  rules: GateRules,
  act: HostDecision,
  decision: Statement["decision"],
): GateRules["approvers"][number] {
  const approver = findApproverOf(gate.rules.kind, act.user, rules.approvers)
  const host = hostName(gate.host.place)
  if (approver === undefined) {
    const able = rules.approvers.flatMap((a) => a[gate.rules.kind] ?? [])
    throw fault({
      code: "GATE-NOT-APPROVER",
      kind: "failed",
      message: `${act.user} played the gate and is not an approver`,
      reason: `Nobody in \`approvers\` of gantry.config.ts has the ${host} user name "${act.user}".`,
      hint:
        able.length === 0
          ? `Give approvers their user names: approvers: [{ …, ${gate.rules.kind}: "name" }].`
          : `May decide: ${able.join(", ")}. One of them has to play (retry) this job.`,
    })
  }
  const refusal = decision === "rejected" ? undefined : whyMayNotApprove(approver, rules)
  if (refusal === undefined) return approver
  throw fault({
    code: /author/.test(refusal) ? "GATE-AUTHOR" : "GATE-ROLE",
    kind: "failed",
    message: `${act.user} played the gate and may not approve this release`,
    reason: refusal,
    hint: "Somebody else has to play (retry) this job.",
  })
}
