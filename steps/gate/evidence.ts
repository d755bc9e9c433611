import type { Demands, Evidence } from "../../approvals/index.js"
import { fault, type Fault } from "../../core/errors.js"
import { canonicalJson } from "../../core/json.js"
import type { RunInfo } from "../../core/step.js"
import { placeEvidence } from "../../environments/targets/where.js"
import type { BuiltImage, Deployment, Migration, Release, Scan, Source } from "../outputs.js"
import type { Settings } from "../settings.js"
import type { CommitFacts } from "./authors.js"

/** Id of the step, and name of the gate in the approvals of a run. */
export const gateId = "gate"

/** What the gate reads from the steps before it. `undefined`: skipped by its condition. */
export interface GateNeeds {
  readonly source: Source
  readonly images: readonly BuiltImage[]
  readonly scans: readonly Scan[]
  readonly releases: readonly Release[]
  readonly deployments: readonly (Deployment | undefined)[]
  readonly migrations: readonly (Migration | undefined)[]
  readonly tests: readonly ({ readonly suite: string; readonly total: number; readonly failed: number } | undefined)[]
  readonly quality: readonly (
    { readonly status: string; readonly analysisId: string; readonly service: string } | undefined
  )[]
}

/** One canonical document: an approval is bound to its hash, so a change of anything in it voids the approval. */
export function evidenceOf(
  settings: Settings,
  environment: string,
  run: Pick<RunInfo, "id">,
  facts: CommitFacts,
  needs: GateNeeds,
): Evidence {
  return {
    run: run.id,
    gate: gateId,
    environment,
    commit: facts.commit,
    tree: facts.tree,
    authors: facts.authors.map(({ name, email }) => ({ name, email })),
    demands: demandsOf(settings, environment),
    rollout: rolloutOf(settings, environment),
    services: needs.releases.map((release) => serviceEvidence(release, needs)),
  }
}

function serviceEvidence(release: Release, needs: GateNeeds) {
  const scan = needs.scans.find((s) => s.digest === release.digest)
  const quality = needs.quality.find((q) => q?.service === release.service)
  return {
    service: release.service,
    reference: release.reference,
    digest: release.digest,
    scan:
      scan === undefined
        ? null
        : { counts: scan.counts, exceptions: scan.exceptions, database: scan.databaseUpdatedAt ?? null },
    quality: quality === undefined ? null : { status: quality.status, analysis: quality.analysisId },
    tests: present(needs.tests)
      .filter((t) => t.suite.startsWith(`${release.service}.`))
      .map((t) => ({ suite: t.suite, total: t.total, failed: t.failed })),
    migration: migrationEvidence(release.service, needs.migrations),
    deployments: present(needs.deployments)
      .filter((d) => d.service === release.service)
      .map((d) => ({ environment: d.environment, digest: d.digest, configHash: d.configHash })),
  }
}

/** What the evidence says of a service's migration: that of the environments before, which PROD's repeats. */
function migrationEvidence(service: string, migrations: readonly (Migration | undefined)[]) {
  const own = present(migrations).filter((m) => m.service === service)
  const last = own.at(-1)
  if (last === undefined) return null
  const { run, content, compatible } = last
  return { run, content, compatible, environments: own.map((m) => ({ environment: m.environment, at: m.at })) }
}

/** What one who decides must not overlook, a line each. */
export function warningsOf(needs: Pick<GateNeeds, "migrations">): readonly string[] {
  const services = new Set(present(needs.migrations).flatMap((m) => (m.compatible ? [] : [m.service])))
  return [...services].map((service) => `${noWayBack} for ${service}: its migration is not backwards compatible`)
}

export const noWayBack = "THERE IS NO WAY BACK"

/** What the environment asks of approvers. A gate without any demands still asks for one person. */
export function demandsOf(settings: Settings, environment: string): Demands {
  const demands = settings.environments[environment]?.approvals
  return {
    required: demands?.required ?? 1,
    roles: [...(demands?.roles ?? [])],
    expiresAfterHours: demands?.expiresAfterHours ?? 24,
  }
}

/** How it will be rolled out: from the configuration, which is not part of the commit's tree while it lies in the work tree. */
export function rolloutOf(settings: Settings, environment: string) {
  const e = settings.environments[environment]
  if (e === undefined) return null
  return {
    target: e.target,
    replicas: e.replicas,
    // As it is written: what is left out is no part of it.
    strategy: JSON.parse(canonicalJson(e.strategy)) as Evidence[string],
    profile: e.profile,
    resources: { memoryMB: e.resources.memoryMB ?? null, cpus: e.resources.cpus ?? null },
    ...placeEvidence(settings.project, e),
  }
}

/**
 * What does not fit together is not put up for decision: what was scanned, tested and deployed has to be what would be
 * released, made from the commit that the run is about. Undefined when all fits.
 */
export function contradiction(run: Pick<RunInfo, "dirty">, facts: CommitFacts, needs: GateNeeds): Fault | undefined {
  const { source } = needs
  const inconsistent = (reason: string) =>
    fault({
      code: "GATE-INCONSISTENT",
      kind: "failed",
      message: "The results of this run do not fit together, so there is nothing to decide",
      reason,
      hint: "Somebody or something changed the records of this run. Start a new one.",
    })
  if (run.dirty || source.dirty) return inconsistent("the work tree was delivered, not a commit")
  if (source.commit !== facts.commit)
    return inconsistent(`the checkout is of ${source.commit}, the run of ${facts.commit}`)
  if (source.tree !== facts.tree) return inconsistent(`${source.tree} is not the tree of commit ${facts.commit}`)
  for (const release of needs.releases) {
    const { service, digest, reference } = release
    const differs = (what: string, other: string | undefined) =>
      inconsistent(`${service}: released is ${digest}, ${what} is ${other ?? "nothing"}`)
    if (!reference.endsWith(`@${digest}`)) return differs("deployed would be", reference)
    const image = needs.images.find((i) => i.service === service)
    if (image?.digest !== digest) return differs("built", image?.digest)
    if (!needs.scans.some((s) => s.digest === digest)) return differs("scanned", undefined)
    const stray = present(needs.deployments).find((d) => d.service === service && d.digest !== digest)
    if (stray !== undefined) return differs(`deployed to ${stray.environment}`, stray.digest)
  }
  return undefined
}

function present<T>(all: readonly (T | undefined)[]): T[] {
  return all.filter((x): x is T => x !== undefined)
}
