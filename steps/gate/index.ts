import { join } from "node:path"
import { judge, readEvidence, readStatements, writeEvidence, type GateRules } from "../../approvals/index.js"
import { clean } from "../../core/condition.js"
import { fault } from "../../core/errors.js"
import { hashJson, type Json } from "../../core/json.js"
import { step, type AnyStep, type MaybeStep, type RunInfo, type Step } from "../../core/step.js"
import { Approval, type BuiltImage, type Deployment, type Release, type Scan, type Source } from "../outputs.js"
import type { Settings } from "../settings.js"

/** What of one service is put up for decision. */
export interface ServiceEvidence {
  readonly image: BuiltImage
  readonly scan: Scan
  readonly release: Release
  readonly deployments: readonly Deployment[]
  readonly tests: readonly { readonly suite: string; readonly total: number; readonly failed: number }[]
  readonly quality: { readonly status: string; readonly analysisId: string } | undefined
}

/** One canonical document: an approval is bound to its hash, so a change of anything in it voids the approval. */
export function evidenceOf(
  source: Source,
  environment: string,
  services: readonly ServiceEvidence[],
): Record<string, Json> {
  return {
    commit: source.commit,
    tree: source.tree,
    author: source.author,
    environment,
    services: services.map((s) => ({
      service: s.release.service,
      reference: s.release.reference,
      digest: s.release.digest,
      scan: { digest: s.scan.digest, counts: s.scan.counts, exceptions: s.scan.exceptions },
      quality: s.quality === undefined ? null : { status: s.quality.status, analysis: s.quality.analysisId },
      tests: s.tests.map((t) => ({ suite: t.suite, total: t.total, failed: t.failed })),
      deployments: s.deployments.map((d) => ({
        environment: d.environment,
        digest: d.digest,
        configHash: d.configHash,
      })),
    })),
  }
}

export interface GateWiring {
  readonly source: Step<Source>
  readonly images: readonly Step<BuiltImage>[]
  readonly scans: readonly Step<Scan>[]
  readonly releases: readonly Step<Release>[]
  readonly deployments: readonly MaybeStep<Deployment>[]
  readonly tests: readonly MaybeStep<{ suite: string; total: number; failed: number }>[]
  readonly quality: readonly MaybeStep<{ status: string; analysisId: string; service: string }>[]
  readonly after?: readonly AnyStep[]
}

/**
 * The manual gate: a person who is not the author decides on the evidence of this run. It occupies nothing while it
 * waits; `gantry approve` or `gantry reject` leave a decision, `gantry resume` asks the gate again.
 */
export function gate(settings: Settings, environmentName: string, wiring: GateWiring) {
  const { after, ...parts } = wiring
  return step("gate", {
    needs: parts,
    ...(after === undefined ? {} : { after }),
    when: clean(),
    gate: true,
    engine: false,
    stage: "approve",
    environment: environmentName,
    output: Approval,
    params: { environment: environmentName },
    run: async ({ needs, run, log, publish, artifacts }) => {
      const services = needs.releases.map((release, i): ServiceEvidence => {
        const of = <T extends { readonly service: string }>(all: readonly (T | undefined)[]) =>
          all.filter((x): x is T => x?.service === release.service)
        return {
          release,
          image: of(needs.images)[0] as BuiltImage,
          scan: needs.scans[i] as Scan,
          deployments: of(needs.deployments),
          tests: needs.tests.filter((t) => t !== undefined).filter((t) => t.suite.startsWith(`${release.service}.`)),
          quality: needs.quality.find((q) => q?.service === release.service),
        }
      })
      const evidence = evidenceOf(needs.source, environmentName, services)
      const rules = gateRules(settings, environmentName, run, needs.source.author, hashJson(evidence))
      await writeEvidence(run.dir, {
        ...rules,
        roles: [...rules.roles],
        expiresAfterHours: settings.environments[environmentName]?.approvals?.expiresAfterHours ?? 24,
        evidence: evidence as Record<string, never>,
      })
      await artifacts.put("evidence.json", { text: JSON.stringify(evidence, null, 2) + "\n" })
      const judgement = judge(await readStatements(run.dir, "gate"), rules, new Date())
      if (judgement.verdict === "waiting") {
        for (const { statement, why } of judgement.void) {
          log.warn(`the decision of ${statement.by} (${statement.at}) does not count: ${why}`)
        }
        throw waiting(run, environmentName, judgement.missing, rules)
      }
      const statement = judgement.verdict === "rejected" ? judgement.by : judgement.by[judgement.by.length - 1]
      if (statement === undefined) throw new Error("an approval without a statement")
      publish({
        kind: "approval",
        decision: judgement.verdict,
        by: statement.by,
        reason: statement.reason,
        at: statement.at,
        evidenceHash: statement.evidenceHash,
      })
      if (judgement.verdict === "rejected") {
        throw fault({
          code: "GATE-REJECTED",
          kind: "failed",
          message: `${statement.by} rejected the release to ${environmentName}`,
          reason: statement.reason,
          hint: "The decision stands for this run. Fix what was wrong and deliver a new commit.",
        })
      }
      log.info(`Approved by ${judgement.by.map((s) => `${s.by} (${s.role})`).join(", ")}: ${statement.reason}`)
      return {
        decision: "approved" as const,
        by: judgement.by.map((s) => s.by).join(", "),
        reason: statement.reason,
        at: statement.at,
        expiresAt: judgement.by.map((s) => s.expiresAt).sort()[0] ?? statement.expiresAt,
        evidenceHash: statement.evidenceHash,
      }
    },
  })
}

function gateRules(
  settings: Settings,
  environment: string,
  run: RunInfo,
  author: Source["author"],
  evidenceHash: string,
): GateRules {
  const demands = settings.environments[environment]?.approvals
  return {
    gate: "gate",
    run: run.id,
    environment,
    required: demands?.required ?? 1,
    roles: demands?.roles ?? [],
    approvers: settings.approvers,
    author,
    evidenceHash,
  }
}

function waiting(run: RunInfo, environment: string, missing: number, rules: GateRules) {
  const able = rules.approvers.filter(
    (a) =>
      a.email.toLowerCase() !== rules.author.email.toLowerCase() &&
      a.name.toLowerCase() !== rules.author.name.toLowerCase(),
  )
  return fault({
    code: "GATE-WAITING",
    kind: "waiting",
    message: `Waiting for ${missing === 1 ? "a person" : `${missing} people`} to decide about ${environment}`,
    reason: `May decide: ${able.map((a) => `${a.name} <${a.email}>`).join(", ") || "nobody (no approver but the author is configured)"}. Evidence: ${join(run.dir, "approvals", "gate", "evidence.json")}`,
    hint: `gantry approve ${run.id} --as <name> --reason "…"   or   gantry reject ${run.id} --as <name> --reason "…", then gantry resume ${run.id}`,
  })
}

/**
 * Verifies the decision itself immediately before PROD is touched: neither a record nor a played job is proof.
 * @throws GATE-UNPROVEN, and nothing is deployed
 */
export async function verifyApproval(
  settings: Settings,
  environmentName: string,
  run: RunInfo,
  approval: Approval,
  source: Source,
  release: Release,
): Promise<void> {
  const unproven = (reason: string) =>
    fault({
      code: "GATE-UNPROVEN",
      kind: "failed",
      message: `Nothing is deployed to ${environmentName}: the approval does not hold`,
      reason,
      hint: `gantry approve ${run.id} --as <name> --reason "…", then gantry resume ${run.id}`,
    })
  const file = await readEvidence(run.dir, "gate")
  if (file.evidenceHash !== approval.evidenceHash) throw unproven("the evidence is not what was approved")
  const evidence = file.evidence as unknown as ReturnType<typeof evidenceOf>
  const listed = (evidence["services"] as readonly { service: string; digest: string }[]).find(
    (s) => s.service === release.service,
  )
  if (listed?.digest !== release.digest) {
    throw unproven(
      `approved was ${listed?.digest ?? "nothing"} of ${release.service}, to be deployed is ${release.digest}`,
    )
  }
  if (evidence["tree"] !== source.tree) throw unproven("another tree was approved")
  const rules = gateRules(settings, environmentName, run, source.author, file.evidenceHash)
  const judgement = judge(await readStatements(run.dir, "gate"), rules, new Date())
  if (judgement.verdict === "rejected") throw unproven(`${judgement.by.by} rejected it: ${judgement.by.reason}`)
  if (judgement.verdict === "waiting") {
    const why = judgement.void.map((v) => `${v.statement.by}: ${v.why}`).join("; ")
    throw unproven(why === "" ? "there is no valid decision" : `no decision counts: ${why}`)
  }
}
