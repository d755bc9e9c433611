import type { FindingsReport, QualityGateReport, Report, TestReport } from "../../core/reports.js"
import { findingCounts, limitText, rolloutText } from "../describe.js"
import { bytes, duration, percent, plural, shortDigest } from "../format.js"
import { link, markup, type Html, type Part } from "./markup.js"
import { rolloutHtml } from "./rollout.js"

/** What steps told people, as parts of the page. */

export function reportHtml(report: Report): Html {
  switch (report.kind) {
    case "tests":
      return tests(report)
    case "findings":
      return findings(report)
    case "quality-gate":
      return qualityGate(report)
    case "image":
      return section(
        "Image",
        markup`<p><span class="mono">${report.reference}</span></p><p class="small"><span class="mono">${report.digest}</span>${
          report.size === undefined ? undefined : markup` <span class="muted">${bytes(report.size)} compressed</span>`
        }</p>`,
      )
    case "deployment":
      return section(
        `Deployment to ${report.environment.toUpperCase()}`,
        markup`<p>${link(report.url)}${report.unchanged ? markup` <span class="badge">ran there already, nothing was touched</span>` : undefined}</p>
<p class="small muted">${plural(report.replicas, "replica")} of <span class="mono">${shortDigest(report.digest)}</span>, configuration <span class="mono">${shortDigest(
          report.configHash,
        )}</span>${report.previous === undefined ? undefined : markup`, before it ran <span class="mono">${shortDigest(report.previous)}</span>`}</p>`,
      )
    case "approval":
      return section(
        report.decision === "approved" ? "Approved" : "Rejected",
        markup`<p>${badge(report.decision, report.decision === "approved" ? "good" : "bad")} by <b>${report.by}</b>, ${moment(report.at)}</p>
<p>“${report.reason}”</p><p class="small muted">Evidence <span class="mono">${report.evidenceHash}</span></p>`,
      )
    case "rollout":
      return section(
        `Rollout to ${report.environment.toUpperCase()}`,
        markup`<p>${badge(report.outcome, report.outcome === "done" ? "good" : report.outcome === "paused" ? "warn" : "bad")} ${rolloutText(report)}</p>${rolloutHtml(report)}`,
      )
    case "link":
      return markup`<p>${link(report.url, report.title)}</p>`
    default:
      return report satisfies never
  }
}

/** An instant; in UTC until the script puts it into the reader's zone. */
export const moment = (at: string): Html =>
  markup`<time datetime="${at}">${at.slice(0, 19).replace("T", " ")} UTC</time>`

export const badge = (text: string, tone: "good" | "bad" | "warn" | "" = ""): Html =>
  markup`<span class="badge${tone === "" ? "" : ` ${tone}`}">${text}</span>`

const section = (title: string, content: Part): Html =>
  markup`<section class="report"><h4>${title}</h4>${content}</section>\n`

/** Beyond so many rows the rest folds away. */
const mostRows = 25

function tests(report: TestReport): Html {
  return section(
    `Tests: ${report.suite}`,
    markup`<div class="counts">${badge(`${report.passed} passed`, report.failed === 0 ? "good" : "")}${
      report.failed > 0 ? badge(`${report.failed} failed`, "bad") : undefined
    }${report.skipped > 0 ? badge(`${report.skipped} skipped`) : undefined}${
      report.coverage === undefined ? undefined : badge(`coverage ${percent(report.coverage)}`)
    }${badge(duration(report.seconds * 1000))}</div>${folded(
      report.failures,
      (failure) =>
        markup`<div class="failure"><b>${failure.name}</b><pre>${failure.message}${
          failure.details === undefined ? undefined : `\n\n${failure.details}`
        }</pre></div>`,
      (items) => markup`${items}`,
    )}`,
  )
}

/** The first rows in the open, the rest behind a click. */
function folded<T>(
  items: readonly T[],
  row: (item: T) => Html,
  frame: (rows: readonly Html[]) => Html,
): Html | undefined {
  if (items.length === 0) return undefined
  const rest = items.slice(mostRows)
  return markup`${frame(items.slice(0, mostRows).map(row))}${
    rest.length === 0
      ? undefined
      : markup`<details class="more"><summary>${rest.length} more</summary>${frame(rest.map(row))}</details>`
  }`
}

type Finding = FindingsReport["items"][number]

function findings(report: FindingsReport): Html {
  const rank = (item: Finding) => (item.blocking ? 0 : item.exception === undefined ? 1 : 2)
  const items = [...report.items].sort((a, b) => rank(a) - rank(b))
  return section(
    `Findings: ${report.tool}`,
    markup`<p>${findingCounts(report)}${report.basis === undefined ? undefined : markup` <span class="muted">· judged with ${report.basis}</span>`}</p>${folded(
      items,
      findingRow,
      (rows) =>
        markup`<div class="scroll"><table><thead><tr><th scope="col">Severity</th><th scope="col">Finding</th><th scope="col">Where</th><th scope="col">Fixed in</th><th scope="col">Policy</th></tr></thead><tbody>${rows}</tbody></table></div>`,
    )}`,
  )
}

function findingRow(item: Finding): Html {
  const severe = /^(critical|blocker)$/i.test(item.severity)
    ? "bad"
    : /^(high|major)$/i.test(item.severity)
      ? "warn"
      : ""
  const policy = item.blocking
    ? badge("blocks", "bad")
    : item.exception === undefined
      ? markup`<span class="muted">reported</span>`
      : markup`${badge("exception")} <span class="small">${item.exception}</span>`
  return markup`<tr${item.blocking ? markup` class="blocking"` : undefined}><td class="keep">${badge(item.severity, severe)}</td><td><span class="mono keep">${item.id}</span><br>${item.title}</td><td>${item.location}</td><td>${item.fix ?? markup`<span class="muted">no fix yet</span>`}</td><td>${policy}</td></tr>\n`
}

function qualityGate(report: QualityGateReport): Html {
  const tone = report.status === "passed" ? "good" : report.status === "failed" ? "bad" : ""
  const order = { failed: 0, passed: 1, none: 2 }
  const conditions = [...report.conditions].sort((a, b) => order[a.status] - order[b.status])
  return section(
    "Quality gate",
    markup`<p>${badge(report.status === "none" ? "no gate set" : report.status, tone)}${
      report.url === undefined ? undefined : markup` ${link(report.url, "Open the analysis")}`
    }</p>${folded(
      conditions,
      (c) =>
        markup`<tr${c.status === "failed" ? markup` class="blocking"` : undefined}><td>${c.metric.replaceAll("_", " ")}</td><td>${c.actual ?? markup`<span class="muted">not measured</span>`}</td><td>${limitText(c)}</td><td>${badge(
          c.status === "none" ? "not judged" : c.status,
          c.status === "failed" ? "bad" : c.status === "passed" ? "good" : "",
        )}</td></tr>\n`,
      (rows) =>
        markup`<div class="scroll"><table><thead><tr><th scope="col">Condition</th><th scope="col">Measured</th><th scope="col">Fails when</th><th scope="col">Verdict</th></tr></thead><tbody>${rows}</tbody></table></div>`,
    )}`,
  )
}
