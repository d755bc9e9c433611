import { join, relative } from "node:path"
import { gateDir } from "../../approvals/evidence.js"
import {
  findApproverOf,
  hostStatementName,
  isSameUser,
  keepHostStatement,
  readDecisions,
  Statement,
  type BoundEvidence,
  type Decision,
  type GateRules,
  type HostRules,
  type Via,
} from "../../approvals/index.js"
import { hostName, type CodeHost, type HostDecision } from "../../clients/codehost/index.js"
import { fault } from "../../core/errors.js"
import { parseJson } from "../../core/json.js"
import { openStore } from "../../core/store.js"
import type { Log, RunInfo } from "../../core/step.js"
import { codeHostOf, type HostAccess } from "../code-host.js"
import type { Settings } from "../settings.js"
import { gateId } from "./evidence.js"

/** What a code host knows about the gate of the pipeline that a run is. */
export interface HostGate {
  readonly host: CodeHost
  readonly run: RunInfo
  readonly pipeline: string
  readonly told: readonly HostDecision[]
  readonly rules: HostRules
}

/** The pipeline behind a run's id; undefined for a run of nobody's but this machine's. */
export function pipelineOf(
  run: Pick<RunInfo, "id">,
): { readonly kind: "gitlab" | "github"; readonly id: string } | undefined {
  const [, kind, id] = /^(gitlab|github)-(\d+)$/.exec(run.id) ?? []
  return kind === undefined || id === undefined ? undefined : { kind: kind as "gitlab" | "github", id }
}

/**
 * Asks the code host what people did about the gate; undefined where the run is no pipeline's.
 * @throws CODEHOST-… whenever it cannot be known: nothing is let through on a guess
 */
export async function askHost(
  settings: Settings,
  environment: string,
  run: RunInfo,
  access: HostAccess,
): Promise<HostGate | undefined> {
  const pipeline = pipelineOf(run)
  if (pipeline === undefined) return undefined
  const host = await codeHostOf(settings, access)
  if (host.place.kind !== pipeline.kind) throw otherHost(host, run)
  const [told, authors] = await Promise.all([
    host.decisions({ pipeline: pipeline.id, gate: gateId, environment }),
    host.changeAuthors(run.commit),
  ])
  return { host, run, pipeline: pipeline.id, told, rules: { kind: pipeline.kind, authors } }
}

/**
 * Files a statement for every act at the host that says what was decided: reviews and deployment approvals by themselves,
 * a play by the statement that its job left. What is no approver's is told and passed over.
 * @param own statement of the play that this process is, judged already
 */
export async function fileStatements(
  gate: HostGate,
  evidence: BoundEvidence,
  rules: GateRules,
  own: string | undefined,
  log: Pick<Log, "info" | "warn"> | undefined,
  now: Date,
): Promise<void> {
  const { told, host, run } = gate
  for (const act of told) {
    if (act.how === "play" && act.id === own) continue
    const approver = findApproverOf(gate.rules.kind, act.user, rules.approvers)
    if (approver === undefined) {
      log?.warn(`${act.user} (${act.how} ${act.id} at ${hostName(host.place)}) is not an approver`)
      continue
    }
    const statement =
      act.decision === undefined
        ? await statementOfPlay(gate, act, log)
        : statementOf(gate, evidence, rules, approver, act, { decision: act.decision, reason: act.comment }, now)
    if (statement !== undefined) await keepHostStatement(run.dir, statement)
  }
}

type ViaStatement = Statement & { readonly via: Via }

/** A statement about the evidence for an act of an approver. */
export function statementOf(
  gate: HostGate,
  evidence: BoundEvidence,
  rules: GateRules,
  approver: GateRules["approvers"][number],
  act: HostDecision,
  said: { readonly decision: Statement["decision"]; readonly reason: string | undefined },
  now: Date,
): ViaStatement {
  const { place } = gate.host
  // A review has no moment of its own: it is dated when it is seen.
  const at = act.from !== undefined && act.from === act.until ? new Date(act.from) : now
  const reason = said.reason?.trim() ?? ""
  return {
    schema: 1,
    run: gate.run.id,
    gate: rules.gate,
    environment: rules.environment,
    decision: said.decision,
    by: approver.name,
    email: approver.email,
    role: approver.role,
    reason: reason === "" ? `${act.how} ${act.id} at ${hostName(place)}, without a word` : reason,
    at: at.toISOString(),
    expiresAt: new Date(at.getTime() + rules.expiresAfterHours * 3_600_000).toISOString(),
    evidenceHash: evidence.hash,
    via: {
      host: place.kind,
      url: place.url,
      project: place.project,
      pipeline: gate.pipeline,
      how: act.how,
      job: act.id,
      user: act.user,
    },
  }
}

/** What another play's job left; undefined when it left none (it still runs, was refused, its files expired). */
async function statementOfPlay(
  { host, run }: HostGate,
  act: HostDecision,
  log: Pick<Log, "info" | "warn"> | undefined,
): Promise<ViaStatement | undefined> {
  const name = hostStatementName({ how: act.how, job: act.id, user: act.user })
  const text = await host.jobFile(act.id, inRepository(join(gateDir(run.dir, gateId), name), run))
  const parsed = text === undefined ? undefined : Statement.safeParse(parseJson(text)).data
  const via = parsed?.via
  if (parsed !== undefined && via?.job === act.id && via.how === "play") return { ...parsed, via }
  log?.info(
    `the play of ${act.user} (job ${act.id}) left no decision: it still runs, was refused, or its files expired`,
  )
  return undefined
}

/** Files of jobs are named from the root of the repository, which may be above the project. */
function inRepository(path: string, run: RunInfo, root = process.env["CI_PROJECT_DIR"]): string {
  const name = relative(root === undefined || root === "" ? run.project : root, path)
  return (name.startsWith("..") ? relative(run.project, path) : name).replaceAll("\\", "/")
}

/** The decisions of the run, each held against what the host knows. */
export async function heldDecisions(gate: HostGate | undefined, run: RunInfo): Promise<readonly Decision[]> {
  const decisions = await readDecisions(openStore(run.project).root, run.dir, run.id, gateId)
  if (gate === undefined) return decisions
  return decisions.map((decision) => {
    const { via } = decision.statement
    return via === undefined
      ? decision
      : { ...decision, confirmed: whyNotConfirmed(gate, decision.statement, via) ?? true }
  })
}

/** Milliseconds that the clocks of a job and of the host may differ. */
const tolerance = 60_000

function whyNotConfirmed({ host, told, pipeline, run }: HostGate, statement: Statement, via: Via): string | undefined {
  const { place } = host
  const name = hostName(place)
  if (via.host !== place.kind || via.url !== place.url || via.project !== place.project)
    return `it is of another ${via.host}`
  if (via.pipeline !== pipeline) return `it is of pipeline ${via.pipeline}`
  const act = told.find((one) => one.how === via.how && one.id === via.job && isSameUser(one.user, via.user))
  if (act === undefined) return `${name} knows no ${via.how} ${via.job} by ${via.user}`
  if (act.commit !== run.commit) return `${via.how} ${via.job} is about commit ${act.commit.slice(0, 12)}`
  if (act.decision !== undefined && act.decision !== statement.decision)
    return `at ${name} ${via.user} ${act.decision} it`
  const at = Date.parse(statement.at)
  const [from, until] = [act.from, act.until].map((time) => (time === undefined ? Number.NaN : Date.parse(time)))
  if (at < (from ?? 0) - tolerance || at > (until ?? 0) + tolerance)
    return `it is dated ${statement.at}, the ${via.how} is not`
  return undefined
}

function otherHost(host: CodeHost, run: RunInfo) {
  return fault({
    code: "CODEHOST-WHERE",
    kind: "usage",
    message: `Run ${run.id} is not of ${hostName(host.place)} at ${host.place.url}`,
    reason: "codeHost of gantry.config.ts names another host than the one whose pipeline this is.",
    hint: "Correct codeHost.kind, or leave codeHost out: CI's own variables say where it is.",
  })
}
