import { bytes, plural, shortCommit, shortDigest } from "../../report/format.js"
import type { JobSummary } from "../../report/ci/summary.js"
import { imageSizes, newFindings, reportsOf } from "./compare.js"
import { block, code, folded, link, table } from "./markdown.js"

export interface CommentOptions {
  readonly summary: JobSummary
  /** Of the target branch. */
  readonly baseline: JobSummary | undefined
  readonly target: string | undefined
  readonly pipelineUrl: string | undefined
  /** Who may open the gate, for a person: "Lin Release (`lin`)". Empty: nobody is asked. */
  readonly mayApprove: readonly string[]
}

/** Characters; GitHub takes 65,536. */
const longest = 60_000

/** By which the comment is found again. */
export const markerOf = (pipeline: string) => `<!-- gantry:${pipeline} -->`

/** The comment on a merge request: what somebody has to know before they look any further. Markdown. */
export function renderComment(options: CommentOptions): string {
  const { summary } = options
  const parts = [
    headline(options),
    ...serviceTable(options),
    ...problems(summary),
    ...failedTests(summary),
    ...findings(options),
    ...environments(summary),
    ...gate(options),
  ]
  const marker = markerOf(summary.pipeline)
  const foot = "<sub>One comment, kept up to date by Gantry.</sub>"
  let body = parts.join("\n\n")
  if (body.length > longest)
    body = `${body.slice(0, longest).replace(/\n[^\n]*$/, "")}\n\n… (cut; the rest is in the report)`
  return `${marker}\n${closed(body)}\n\n${foot}\n`
}

const words: Readonly<Record<JobSummary["status"], string>> = {
  success: "✔ passed",
  failed: "✖ failed",
  errored: "⚠ stopped by an infrastructure error",
  cancelled: "■ cancelled",
  waiting: "⏸ waits for a person",
  running: "… is running",
}

function headline({ summary, pipelineUrl }: CommentOptions): string {
  const pipeline = link(summary.run, pipelineUrl)
  return `### ${code(summary.pipeline)} ${words[summary.status]}\n\nCommit ${code(shortCommit(summary.commit))} · ${pipeline}`
}

function serviceTable({ summary, baseline, target }: CommentOptions): string[] {
  const services = [...new Set(summary.steps.flatMap((step) => step.service ?? []))]
  if (services.length === 0) return []
  const sizes = imageSizes(summary, baseline)
  const of = <T extends { readonly step: { readonly service?: string | undefined } }>(
    all: readonly T[],
    service: string,
  ) => all.filter(({ step }) => step.service === service)
  const rows = services.map((service) => {
    const tests = of(reportsOf(summary, "tests"), service).map(({ report }) => report)
    const [gate] = of(reportsOf(summary, "quality-gate"), service)
    const found = of(reportsOf(summary, "findings"), service).map(({ report }) => report)
    const size = sizes.get(service)
    return [
      code(service),
      testsCell(tests),
      gate === undefined ? "–" : link(gate.report.status, gate.report.url),
      found.length === 0 ? "–" : findingsCell(found),
      size === undefined ? "–" : `${bytes(size.size)}${change(size.change, target)}`,
    ]
  })
  return [table(["service", "tests", "quality gate", "findings", "image"], rows)]
}

function testsCell(
  tests: readonly { readonly total: number; readonly failed: number; readonly coverage?: number | undefined }[],
): string {
  if (tests.length === 0) return "–"
  const total = tests.reduce((sum, t) => sum + t.total, 0)
  const failed = tests.reduce((sum, t) => sum + t.failed, 0)
  const coverage = tests.flatMap((t) => t.coverage ?? [])
  const covered = coverage.length === 0 ? "" : `, ${Math.max(...coverage).toFixed(1)} % covered`
  return `${failed === 0 ? "" : "**"}${total - failed} of ${total} passed${failed === 0 ? "" : "**"}${covered}`
}

function findingsCell(
  found: readonly {
    readonly counts: Readonly<Record<string, number>>
    readonly items: readonly { readonly blocking: boolean }[]
  }[],
): string {
  const counts = new Map<string, number>()
  for (const [severity, count] of found.flatMap((report) => Object.entries(report.counts))) {
    if (count > 0) counts.set(severity, (counts.get(severity) ?? 0) + count)
  }
  const blocking = found.flatMap((report) => report.items).filter((item) => item.blocking).length
  const text = [...counts].map(([severity, count]) => `${count} ${severity.toLowerCase()}`).join(", ") || "none"
  return blocking === 0 ? text : `**${text}: ${blocking} ${blocking === 1 ? "blocks" : "block"}**`
}

/** Change of an image's size against the target branch. */
function change(difference: number | undefined, target: string | undefined): string {
  if (difference === undefined) return ""
  if (difference === 0) return ` (as on ${code(target ?? "the target")})`
  return ` (${difference > 0 ? "+" : "−"}${bytes(Math.abs(difference))})`
}

function problems(summary: JobSummary): string[] {
  const bad = summary.steps.filter((step) => ["failed", "errored"].includes(step.status) && step.error !== undefined)
  const told = bad.map((step) => {
    const { error } = step
    const more = [error?.reason, error?.hint].filter((text) => text !== undefined).join("\n\n")
    return `- **${code(step.id)}** ${step.status}: ${code(error?.message ?? "")}${more === "" ? "" : `\n\n${indent(block(more, 2000))}`}`
  })
  if (summary.error !== undefined) told.unshift(`- ${code(summary.error.code)}: ${code(summary.error.message)}`)
  return told.length === 0 ? [] : [`#### What went wrong\n\n${told.join("\n")}`]
}

const indent = (text: string) =>
  text
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n")

function failedTests(summary: JobSummary): string[] {
  return reportsOf(summary, "tests")
    .filter(({ report }) => report.failed > 0)
    .map(({ report }) => {
      const shown = report.failures.slice(0, 20)
      const tests = shown.map(({ name, message }) => `- ${code(name)}\n\n${indent(block(message, 1500))}`)
      const more = report.failed > shown.length ? [`- … and ${report.failed - shown.length} more`] : []
      return folded(`${plural(report.failed, "failed test")} in ${report.suite}`, [...tests, ...more].join("\n"))
    })
}

function findings({ summary, baseline, target }: CommentOptions): string[] {
  if (reportsOf(summary, "findings").length === 0) return []
  const fresh = newFindings(summary, baseline)
  const branch = code(target ?? "the target branch")
  if (fresh === undefined) return [`Nothing is known of ${branch} yet, so nobody can say which findings are new.`]
  if (fresh.length === 0) return [`No findings that ${branch} does not have.`]
  const rows = fresh
    .slice(0, 30)
    .map(({ service, item }) => [
      code(item.id),
      item.severity.toLowerCase(),
      service === undefined ? "–" : code(service),
      code(item.location),
      item.fix === undefined ? "–" : code(item.fix),
      item.blocking ? "**blocks**" : item.exception === undefined ? "" : `accepted: ${code(item.exception)}`,
    ])
  const more = fresh.length > rows.length ? `\n\n… and ${fresh.length - rows.length} more` : ""
  return [
    `#### ${plural(fresh.length, "finding")} that ${branch} does not have\n\n${table(["id", "severity", "service", "where", "fixed in", ""], rows)}${more}`,
  ]
}

function environments(summary: JobSummary): string[] {
  const rows = reportsOf(summary, "deployment").map(({ report }) => [
    code(report.environment),
    code(report.service),
    link(report.url, report.url),
    code(shortDigest(report.digest)),
    report.unchanged ? "ran there already" : "",
  ])
  return rows.length === 0
    ? []
    : [`#### Environments\n\n${table(["environment", "service", "address", "image", ""], rows)}`]
}

function gate({ summary, mayApprove }: CommentOptions): string[] {
  const decided = reportsOf(summary, "approval").map(
    ({ report }) => `${report.decision} by ${code(report.by)}: ${code(report.reason)}`,
  )
  if (decided.length > 0) return [`#### Decisions\n\n${decided.map((line) => `- ${line}`).join("\n")}`]
  const waiting = summary.steps.find((step) => step.kind === "gate" && step.status === "waiting")
  if (waiting === undefined && mayApprove.length === 0) return []
  return [`May approve the release: ${mayApprove.join(", ") || "nobody yet; list `approvers` who are not authors"}`]
}

/** A cut may leave a fold or a fence open, which would swallow what comes after. */
function closed(body: string): string {
  const fences = [...body.matchAll(/^\s*(`{3,})/gm)].map(([, fence]) => fence ?? "")
  const open = fences.length % 2 === 1 ? `\n${fences.at(-1)}` : ""
  const folds = (body.match(/<details>/g)?.length ?? 0) - (body.match(/<\/details>/g)?.length ?? 0)
  return `${body}${open}${"\n</details>".repeat(Math.max(0, folds))}`
}
