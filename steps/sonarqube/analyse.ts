import { join } from "node:path"
import {
  edition,
  ensureGate,
  ensureProject,
  gateStatus,
  measures,
  openIssues,
  revokeToken,
  selectGate,
  waitForTask,
  type SonarIssue,
  type SonarSession,
} from "../../clients/sonarqube/index.js"
import { fault } from "../../core/errors.js"
import { withLock } from "../../core/lock.js"
import type { FindingsReport } from "../../core/reports.js"
import type { Context } from "../../core/step.js"
import type { QualityGate, Source, TestResult } from "../outputs.js"
import type { Service } from "../service.js"
import { checkBinaries } from "./binaries.js"
import { listKnown } from "./files.js"
import { gateRefused, gateReport, ownGate } from "./gate.js"
import { prepareReports } from "./reports.js"
import { reportsFolder, type Scanner } from "./scanner.js"
import { openToken, type Server } from "./server.js"

export type AnalysisContext = Pick<
  Context<Record<never, never>, never>,
  "artifacts" | "attempt" | "log" | "mask" | "publish" | "run" | "scratch" | "signal" | "step"
>

export interface AnalysisInput {
  readonly service: Service
  readonly source: Source
  /** Absolute folder of the delivered tree. */
  readonly folder: string
  readonly tests: readonly TestResult[]
  readonly projectKey: string
  readonly now: Date
}

/** Until the server has worked through an analysis. Milliseconds. */
const taskTimeout = 300_000
/** Issues in the report that people read; the dashboard has them all. */
const shown = 100

/**
 * Analyses a service: a token for this run alone, the scanner, the server's compute task, then the quality gate's answer
 * to this very analysis. The token is revoked whatever happens.
 * @throws SONAR-GATE (failed) · SONAR-COVERAGE, SONAR-BINARIES (usage) · SONAR-SCANNER, SONAR-TASK, SONAR-… (errored)
 */
export async function analyse(
  context: AnalysisContext,
  server: Server,
  scanner: Scanner,
  input: AnalysisInput,
): Promise<QualityGate> {
  const { log } = context
  const { service, projectKey } = input
  const sonar = service.sonar ?? { sources: ["."], tests: [], properties: {} }
  const root = join(input.folder, service.path)
  const reports = await prepareReports(
    input.tests,
    { sources: await listKnown(root, sonar.sources), tests: await listKnown(root, sonar.tests) },
    context.artifacts,
    { folder: join(context.scratch, "reports"), mounted: reportsFolder },
  )
  for (const note of reports.notes) log.info(note)
  await checkBinaries(sonar.properties, root, reports.kept)

  await prepareProject(server, projectKey, service.name, context.signal)
  const instance = `${context.run.id}.${context.step}.${context.attempt}`
  const tokenName = `gantry ${instance}`
  const token = await openToken(server, tokenName, projectKey, input.now)
  context.mask(token.value)
  if (!token.temporary) log.warn("the configured token may not make others, so it is used itself")
  let task: Readonly<Record<string, string>>
  try {
    const properties = { ...base(input, await branchOf(server, input.source)), ...sonar.properties }
    task = parseTask(
      await scanner.scan({
        service,
        folder: input.folder,
        reports,
        properties,
        token: token.value,
        instance,
        scratch: context.scratch,
      }),
    )
  } finally {
    if (token.temporary) {
      // It expires by itself in two days: a server that is gone by now must not hide what happened before.
      await revokeToken(server.session, tokenName).catch((error: unknown) => {
        log.warn(`the token of this run could not be revoked: ${(error as Error).message}`)
      })
    }
  }

  const done = await waitForTask(server.session, task["ceTaskId"] ?? "", {
    timeout: taskTimeout,
    onProgress: (status, seconds) => {
      if (seconds > 0 && seconds % 10 === 0) log.info(`SonarQube works through the analysis: ${status}, ${seconds} s`)
    },
  })
  // That a token which has been revoked already will expire is no news.
  const warnings = done.warnings.map(plain).filter((text) => !token.temporary || !text.startsWith("The token used"))
  for (const warning of warnings) log.warn(warning)
  const url = `${server.url}/dashboard?id=${encodeURIComponent(projectKey)}`
  const [status, found, values] = await Promise.all([
    gateStatus(server.session, done.analysisId),
    openIssues(server.session, projectKey),
    measures(server.session, projectKey, ["coverage", "ncloc"]),
  ])
  const report = gateReport(status, url)
  context.publish(report)
  context.publish(issuesReport(projectKey, found, values))
  if (status.ignoredConditions)
    log.info("few lines are new: conditions on their coverage and duplication were left out")
  log.info(`quality gate: ${report.status}; ${found.total} open issues; ${url}`)
  if (report.status === "failed") throw gateRefused(service.name, report)
  return { service: service.name, status: report.status, project: projectKey, analysisId: done.analysisId, url }
}

/** On the stack's server the project and its gate are Gantry's; on one's own the project is made when it is missing. */
async function prepareProject(server: Server, key: string, name: string, signal: AbortSignal): Promise<void> {
  const [state, gate] = await Promise.all([
    ensureProject(server.session, key, name),
    server.own === undefined ? undefined : keepOwnGate(server.session, server.own.lock, signal),
  ])
  if (gate !== undefined && state !== undefined) await selectGate(server.session, gate, key)
}

/** @returns the name of Gantry's gate; services are analysed side by side, also by processes that know nothing of each other */
async function keepOwnGate(session: SonarSession, lock: string, signal: AbortSignal): Promise<string> {
  const keep = () => ensureGate(session, ownGate.name, ownGate.conditions)
  return (await withLock(lock, "the quality gate", keep, { signal })).name
}

/** The free edition knows one branch: there every analysis is of the project's main branch. */
async function branchOf(server: Server, source: Source): Promise<string | undefined> {
  if (server.own !== undefined || source.branch === undefined) return undefined
  return (await edition(server.session)) === "community" ? undefined : source.branch
}

function base({ service, source, projectKey }: AnalysisInput, branch: string | undefined): Record<string, string> {
  return {
    "sonar.projectKey": projectKey,
    "sonar.projectName": service.name,
    "sonar.sources": (service.sonar?.sources ?? ["."]).join(","),
    ...(service.sonar === undefined || service.sonar.tests.length === 0
      ? {}
      : { "sonar.tests": service.sonar.tests.join(",") }),
    "sonar.sourceEncoding": "UTF-8",
    // The delivered tree comes without its history; the commit is told instead.
    "sonar.scm.disabled": "true",
    // Seconds. A server that shares two cores with a build answers, but not within the scanner's minute.
    "sonar.scanner.socketTimeout": "300",
    "sonar.ws.timeout": "300",
    "sonar.scm.revision": source.commit,
    ...(branch === undefined ? {} : { "sonar.branch.name": branch }),
  }
}

/** report-task.txt, which the scanner leaves: lines `name=value`. @throws SONAR-SCANNER when it names no task */
export function parseTask(text: string): Readonly<Record<string, string>> {
  const lines = text.split(/\r?\n/).flatMap((line) => {
    const at = line.indexOf("=")
    return at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const]
  })
  const task = Object.fromEntries(lines)
  if (task["ceTaskId"] !== undefined && task["ceTaskId"] !== "") return task
  throw fault({
    code: "SONAR-SCANNER",
    kind: "errored",
    message: "SonarScanner ended well and names no task of the server's",
    reason: `report-task.txt: ${text.trim().slice(0, 200) || "(empty)"}`,
    hint: "`gantry resume` tries again.",
  })
}

const order = ["BLOCKER", "HIGH", "MEDIUM", "LOW", "INFO"]

function issuesReport(
  project: string,
  found: { readonly total: number; readonly issues: readonly SonarIssue[] },
  values: Readonly<Record<string, string>>,
): FindingsReport {
  const issues = [...found.issues].sort((a, b) => order.indexOf(severityOf(a)) - order.indexOf(severityOf(b)))
  return {
    kind: "findings",
    tool: "SonarQube",
    basis: `${values["ncloc"] ?? "0"} lines of code, ${values["coverage"] ?? "no"}${values["coverage"] === undefined ? "" : " %"} coverage`,
    counts: Object.fromEntries(
      order.map((severity) => [severity, issues.filter((i) => severityOf(i) === severity).length]),
    ),
    items: issues.slice(0, shown).map((issue) => ({
      id: issue.rule,
      severity: severityOf(issue),
      title: issue.message,
      location: `${issue.component.replace(`${project}:`, "")}${issue.line === undefined ? "" : `:${issue.line}`}`,
      // The gate decides about the whole, not about one issue.
      blocking: false,
    })),
  }
}

/** The worst impact on any quality; servers in standard mode have one severity instead. */
function severityOf(issue: SonarIssue): string {
  const impacts = issue.impacts.map((impact) => impact.severity)
  const worst = order.find((severity) => impacts.includes(severity))
  const standard: Readonly<Record<string, string>> = {
    BLOCKER: "BLOCKER",
    CRITICAL: "HIGH",
    MAJOR: "MEDIUM",
    MINOR: "LOW",
    INFO: "INFO",
  }
  return worst ?? standard[issue.severity ?? ""] ?? "INFO"
}

/** Warnings of the server are HTML. */
const plain = (text: string): string =>
  text
    .replace(/<[^>]*>/g, "")
    .replace(/\s+/g, " ")
    .trim()
