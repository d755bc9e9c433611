import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { mayApprove } from "../../approvals/index.js"
import { renderComment, markerOf } from "../../ci/feedback/comment.js"
import { recordDeployments } from "../../ci/feedback/deployments.js"
import { code, link } from "../../ci/feedback/markdown.js"
import { mergeSummaries } from "../../ci/feedback/merge.js"
import { feedbackJob, readSummaries } from "../../ci/feedback/read.js"
import { pipelineRecord } from "../../ci/feedback/record.js"
import { baselineOf, mergeRequestOf, summaryPath, targetOf } from "../../ci/feedback/source.js"
import { ciTokens, recordKey } from "../../ci/secrets.js"
import { ciRun, factsOf, type CiRun } from "../../ci/variables.js"
import { hostName, type CodeHost } from "../../clients/codehost/index.js"
import { findProject, loadProject } from "../../config/index.js"
import { fault, toErrorRecord } from "../../core/errors.js"
import { writeDurably } from "../../core/files.js"
import { createMasker } from "../../core/mask.js"
import { openStore } from "../../core/store.js"
import { renderHtml } from "../../report/html.js"
import type { JobSummary } from "../../report/ci/summary.js"
import { codeHostOf } from "../../steps/code-host.js"
import { commitFacts } from "../../steps/gate/authors.js"
import { demandsOf } from "../../steps/gate/evidence.js"
import type { Settings } from "../../steps/settings.js"
import { git } from "../../steps/git.js"
import { exitCodes } from "../exit.js"
import { pipelineOf } from "../pipelines.js"

export interface FeedbackOptions {
  readonly pipeline: string
  readonly print?: boolean
}

/**
 * `gantry feedback --pipeline <pipeline>`: the last job of a pipeline. Puts together what the others left, as one record, one
 * report and one comment on the merge request. What cannot be told to the code host is a warning: the pipeline is what it is.
 */
export async function feedback(
  cwd: string,
  options: FeedbackOptions,
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const root = await findProject(cwd)
  const ci = ciRun(env)
  if (ci === undefined) throw notInCi()
  const masker = createMasker(ciTokens(env))
  const key = recordKey(env, ci)
  const warn = (text: string) => void process.stderr.write(masker.text(`warning: ${text}\n`))
  const { summaries, unread } = await readSummaries(root, ci.run)
  for (const text of unread) warn(text)
  const summary = mergeSummaries(summaries)
  if (summary === undefined) {
    warn(`no job of ${ci.run} left a summary in .gantry/ci: there is nothing to tell`)
    return exitCodes.ok
  }
  const project = await loadProject(root)
  await writeWhole({ root, name: options.pipeline, project, summary, ci, key, warn })

  const host = await codeHostOf(project.settings, { env, mask: (value) => masker.add(value), policy: { attempts: 3 } })
  const target = targetOf(env)
  const prefix = (await git(["rev-parse", "--show-prefix"], { cwd: root })).trimEnd()
  const baseline = target === undefined ? {} : await baselineOf(host, target, `${prefix}${summaryPath}`)
  if (baseline.problem !== undefined) warn(`nothing is compared with ${target}: ${baseline.problem}`)
  const body = masker.text(
    renderComment({
      summary,
      baseline: baseline.summary,
      target,
      pipelineUrl: ci.pipeline.url,
      mayApprove: await approversFor(root, project.settings, summary),
    }),
  )
  if (options.print === true) process.stdout.write(body)
  else await tell(host, ci, env, summary, body, warn)
  return exitCodes.ok
}

/** Comment and deployments. */
async function tell(
  host: CodeHost,
  ci: CiRun,
  env: NodeJS.ProcessEnv,
  summary: JobSummary,
  body: string,
  warn: (text: string) => void,
): Promise<void> {
  const number = mergeRequestOf(ci, env)
  if (number !== undefined && !ci.fork) {
    try {
      const { url, updated } = await host.comment({ number, marker: markerOf(summary.pipeline), body })
      process.stderr.write(
        `Comment ${updated ? "updated" : "written"}: ${url ?? `${hostName(host.place)} ${number}`}\n`,
      )
    } catch (error) {
      const { message, reason, hint } = toErrorRecord(error)
      warn(`the comment was not written: ${[message, reason, hint].filter(Boolean).join(" · ")}`)
    }
  }
  // In GitHub each job's `environment:` has made its deployment, under a name that tells gate and rollout apart.
  if (host.place.kind === "github") return
  const source = { ref: ci.ref ?? ci.branch ?? ci.tag ?? summary.commit, tag: ci.tag !== undefined }
  for (const problem of await recordDeployments(host, summary, source))
    warn(`a deployment was not recorded: ${problem}`)
}

/** Files of the whole pipeline in `.gantry/ci/feedback/`. */
async function writeWhole(options: {
  readonly root: string
  readonly name: string
  readonly project: Awaited<ReturnType<typeof loadProject>>
  readonly summary: JobSummary
  readonly ci: CiRun
  readonly key: string | undefined
  readonly warn: (text: string) => void
}): Promise<void> {
  const { root, name, project, summary, ci, key, warn } = options
  const dir = join(root, ".gantry", "ci", feedbackJob)
  await mkdir(dir, { recursive: true })
  const json = (value: unknown) => JSON.stringify(value, null, 2) + "\n"
  await writeDurably(join(dir, "summary.json"), json(summary))
  const named = summary.services
  const services = project.settings.services.filter((s) => named.length === 0 || named.includes(s.name))
  const pipeline = await pipelineOf(project, name, { ...project.settings, services })
  const { record, left } = await pipelineRecord({
    pipeline,
    runDir: openStore(root).runDir(ci.run),
    origin: { run: ci.run, pipeline: name, commit: ci.commit },
    key,
    summary,
    facts: factsOf(ci, undefined),
  })
  for (const text of left) warn(`not in the report: ${text}`)
  await writeDurably(join(dir, "run.json"), json(record))
  await writeDurably(join(dir, "report.html"), renderHtml(record, { base: `../../runs/${ci.run}/` }))
}

/** Who may open the gate of the pipeline, with their names at the host; nobody is notified by it. */
async function approversFor(root: string, settings: Settings, summary: JobSummary): Promise<readonly string[]> {
  const gate = summary.steps.find((step) => step.kind === "gate")
  const environment =
    gate?.environment ?? Object.entries(settings.environments).find(([, e]) => e.approvals !== undefined)?.[0]
  if (environment === undefined) return []
  const facts = await commitFacts({ project: root, commit: summary.commit }, undefined).catch(() => undefined)
  if (facts === undefined) return []
  const { roles } = demandsOf(settings, environment)
  const kind = settings.codeHost?.kind ?? "gitlab"
  return mayApprove({ approvers: settings.approvers, authors: facts.authors, roles }).map((one) => {
    const user = one[kind]
    const name = link(one.name, undefined)
    return user === undefined ? name : `${name} (${code(user)})`
  })
}

function notInCi() {
  return fault({
    code: "JOB-RUN",
    kind: "usage",
    message: "It is not known which pipeline this tells about",
    reason: "This is neither GitLab CI nor GitHub Actions.",
    hint: "It is the last job of a generated pipeline. Of a run on this machine: gantry show <run> --html",
  })
}
