import type { RunRecord } from "../../core/record.js"
import type { Report } from "../../core/reports.js"
import { whatNow } from "../advice.js"
import { findSource } from "../source.js"
import { duration, shortCommit, shortDigest } from "../format.js"
import { wallTime, workTime } from "../timing.js"
import { icon } from "./icons.js"
import { link, markup, type Html, type Part } from "./markup.js"
import { moment } from "./reports.js"

const words: Readonly<Record<RunRecord["status"], string>> = {
  success: "succeeded",
  failed: "failed",
  errored: "broke off",
  cancelled: "was cancelled",
  waiting: "waits for a decision",
  running: "is running",
}

/** What, whose, when, how long. */
export function headHtml(record: RunRecord, now: number): Html {
  const source = findSource(record)
  const wall = wallTime(record, now) ?? 0
  const work = workTime(record, now)
  const branch = record.facts["branch"]
  const facts: readonly (readonly [string, Part])[] = [
    ["Service", record.services.join(", ")],
    [
      "Commit",
      markup`<span class="mono">${shortCommit(record.commit)}</span>${record.dirty ? " with the work tree's changes" : ""}`,
    ],
    ["Author", source?.author],
    ["Branch", typeof branch === "string" ? branch : undefined],
    ["Started", moment(record.startedAt)],
    ["Took", wall > work * 1.2 + 5000 ? `${duration(work)} of work in ${duration(wall)}` : duration(wall)],
    ["Steps", counts(record)],
    ["Run", markup`<span class="mono">${record.id}</span>`],
  ]
  return markup`<header class="${record.status}"><div><div class="title">${icon(record.status)}<h1>${record.pipeline} ${words[record.status]}</h1></div>${
    source?.subject === undefined ? undefined : markup`<p class="subject">${source.subject}</p>`
  }<dl class="facts">${facts.flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [markup`<div><dt>${name}</dt><dd>${value}</dd></div>`],
  )}</dl></div></header>`
}

function counts(record: RunRecord): string {
  const order = ["failed", "errored", "waiting", "running", "success", "cancelled", "skipped", "pending"] as const
  const by = (status: (typeof order)[number]) => record.steps.filter((step) => step.status === status).length
  return order.flatMap((status) => (by(status) === 0 ? [] : [`${by(status)} ${status}`])).join(", ")
}

/** Commands to go on with. Places where a delivered service answers stand in a table of their own. */
export function whatNowHtml(record: RunRecord, command: string | undefined): Html | undefined {
  const advice = whatNow(record, command).filter((a) => a.command !== undefined || a.todo === true)
  if (advice.length === 0) return undefined
  return markup`<h2>What now</h2><div class="card"><ul class="now">${advice.map(
    (a) =>
      markup`<li><span>${a.text}</span><span>${a.command === undefined ? (a.url === undefined ? undefined : link(a.url)) : markup`<code>${a.command}</code>`}</span></li>`,
  )}</ul></div>`
}

type Deployment = Extract<Report, { kind: "deployment" }>

/** Services by environments, each with its address, and the digest that they share or do not. */
export function deploymentsHtml(record: RunRecord): Html | undefined {
  const all = record.steps.flatMap((step) => (step.status === "success" ? step.reports : []))
  const deployed = all.filter((report): report is Deployment => report.kind === "deployment")
  if (deployed.length === 0) return undefined
  const environments = [...new Set(deployed.map((d) => d.environment))]
  const services = [...new Set(deployed.map((d) => d.service))]
  const last = (service: string, environment: string) =>
    deployed.findLast((d) => d.service === service && d.environment === environment)
  const rows = services.map((service) => {
    const digests = [...new Set(deployed.filter((d) => d.service === service).map((d) => d.digest))]
    return markup`<tr><th scope="row">${service}</th>${environments.map((environment) => {
      const d = last(service, environment)
      return markup`<td>${d === undefined ? markup`<span class="muted">–</span>` : link(d.url)}${
        digests.length > 1 && d !== undefined
          ? markup`<br><span class="mono small">${shortDigest(d.digest)}</span>`
          : undefined
      }</td>`
    })}<td class="mono small">${digests.length === 1 ? digests[0] : "differs"}</td></tr>`
  })
  return markup`<h2>${record.status === "success" ? "Delivered" : "Deployed so far"}</h2><div class="card scroll"><table><thead><tr><th scope="col">Service</th>${environments.map(
    (e) => markup`<th scope="col">${e.toUpperCase()}</th>`,
  )}<th scope="col">One image</th></tr></thead><tbody>${rows}</tbody></table></div>`
}
