import { z } from "zod"
import { judge, readEvidence, rulesFor, type Evidence, type GateRules } from "../../approvals/index.js"
import { fault, isFault } from "../../core/errors.js"
import { hashJson } from "../../core/json.js"
import type { RunInfo } from "../../core/step.js"
import type { HostAccess } from "../code-host.js"
import type { Approval, Release, Source } from "../outputs.js"
import type { Settings } from "../settings.js"
import { commitFacts, type CommitFacts } from "./authors.js"
import { demandsOf, gateId, rolloutOf } from "./evidence.js"
import { askHost, fileStatements, heldDecisions, type HostGate } from "./host.js"

/** What the rollout reads back from the evidence. */
const Approved = z.object({
  services: z.array(z.object({ service: z.string(), digest: z.string(), reference: z.string() })),
})

/** What an approval is held against. */
export interface Approvable {
  readonly settings: Settings
  readonly environment: string
  readonly run: RunInfo
  readonly approval: Approval
  readonly source: Source
  /** Undefined: it is about what belongs to no service. */
  readonly release: Release | undefined
}

/**
 * Verifies the decision itself immediately before PROD is touched: neither a record nor a played job is proof. Reads the
 * evidence, the statements and the audit log anew, the commit from git and the rules from the configuration; in a pipeline
 * it asks the code host again, and takes its silence for a no.
 * @throws GATE-UNPROVEN, APPROVAL-EVIDENCE, GATE-COMMIT, AUDIT-BROKEN: in all cases nothing is deployed
 */
export async function verifyApproval(
  { settings, environment, run, approval, source, release }: Approvable,
  access: HostAccess = {},
  now: Date = new Date(),
): Promise<void> {
  const bound = await readEvidence(run.dir, run.id, gateId)
  const { evidence } = bound
  const facts = await commitFacts(run, undefined)
  const doubt =
    (bound.hash === approval.evidenceHash ? undefined : "the evidence is not what was approved") ??
    aboutSomethingElse(evidence, environment, facts, source) ??
    (release && aboutAnotherRelease(evidence, release)) ??
    changedSince(evidence, environment, settings)
  if (doubt !== undefined) throw unproven(run, environment, doubt)

  const host = await hostOrDoubt(settings, environment, run, access)
  const rules: GateRules = { ...rulesFor(bound, settings.approvers), ...(host && { host: host.rules }) }
  // A "no" that was said since the gate let the release pass is known to the host alone.
  if (host !== undefined) await fileStatements(host, bound, rules, undefined, undefined, now)
  const judgement = judge(await heldDecisions(host, run), rules, now)
  if (judgement.verdict === "approved") return
  if (judgement.verdict === "rejected") {
    throw unproven(run, environment, `${judgement.by.by} rejected it: ${judgement.by.reason}`)
  }
  const why = judgement.void.map((v) => `${v.statement.by}: ${v.why}`).join("; ")
  throw unproven(run, environment, why === "" ? "there is no valid decision" : `no decision counts: ${why}`)
}

async function hostOrDoubt(
  settings: Settings,
  environment: string,
  run: RunInfo,
  access: HostAccess,
): Promise<HostGate | undefined> {
  try {
    return await askHost(settings, environment, run, access)
  } catch (error) {
    if (!isFault(error) || error.kind === "cancelled") throw error
    throw fault({
      code: "GATE-UNPROVEN",
      kind: error.kind === "errored" ? "errored" : "failed",
      message: `Nothing is deployed to ${environment}: the code host does not confirm the approval`,
      reason: `${error.message}${error.reason === undefined ? "" : `: ${error.reason}`}`,
      hint: error.hint,
      cause: error,
    })
  }
}

function aboutSomethingElse(
  evidence: Evidence,
  environment: string,
  facts: CommitFacts,
  source: Source,
): string | undefined {
  if (evidence.environment !== environment) return `it is about ${evidence.environment}`
  if (source.dirty) return "the work tree is delivered, not a commit"
  if (evidence.commit !== facts.commit || source.commit !== facts.commit) return "another commit was approved"
  if (evidence.tree !== facts.tree || source.tree !== facts.tree) return "another tree was approved"
  if (hashJson(evidence.authors) !== hashJson(facts.authors)) return "the evidence names other authors than the commit"
  return undefined
}

function aboutAnotherRelease(evidence: Evidence, release: Release): string | undefined {
  const services = Approved.safeParse(evidence).data?.services ?? []
  const approved = services.find((s) => s.service === release.service)
  if (approved === undefined) return `nothing of ${release.service} was approved`
  if (approved.digest !== release.digest) {
    return `approved was ${approved.digest} of ${release.service}, to be deployed is ${release.digest}`
  }
  if (approved.reference !== release.reference || !release.reference.endsWith(`@${approved.digest}`)) {
    return `approved was ${approved.reference}, to be deployed is ${release.reference}`
  }
  return undefined
}

function changedSince(evidence: Evidence, environment: string, settings: Settings): string | undefined {
  if (hashJson(evidence.demands) !== hashJson(demandsOf(settings, environment))) {
    return `what ${environment} demands of approvers has been changed since`
  }
  if (hashJson(evidence["rollout"]) !== hashJson(rolloutOf(settings, environment))) {
    return `the settings of ${environment} have been changed since`
  }
  return undefined
}

function unproven(run: RunInfo, environment: string, reason: string) {
  return fault({
    code: "GATE-UNPROVEN",
    kind: "failed",
    message: `Nothing is deployed to ${environment}: the approval does not hold`,
    reason,
    hint: `If only its time has run out: gantry approve ${run.id} --as <name> --reason "…", then gantry resume ${run.id}. Else start a new run.`,
  })
}
