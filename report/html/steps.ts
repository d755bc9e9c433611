import type { RunRecord, StepRecord } from "../../core/record.js"
import { stepNote } from "../describe.js"
import { bytes, duration, plural, shortDigest } from "../format.js"
import { stepDuration } from "../timing.js"
import { faultHtml } from "./faults.js"
import { anchor } from "./graph.js"
import { icon } from "./icons.js"
import { fileHref, markup, type Html } from "./markup.js"
import { moment, reportHtml } from "./reports.js"

/** The steps, grouped by service, each to unfold; the ones that need attention are open. @param base from the page to the run's folder */
export function stepsHtml(
  record: RunRecord,
  logTails: ReadonlyMap<string, readonly string[]>,
  now: number,
  base: string,
): Html {
  const groups = new Map<string, StepRecord[]>()
  for (const step of record.steps) {
    const group = step.service ?? ""
    groups.set(group, [...(groups.get(group) ?? []), step])
  }
  return markup`<div class="card steps">${[...groups].map(([name, steps]) => [
    groups.size > 1 ? markup`<h3>${name === "" ? "Whole run" : name}</h3>` : undefined,
    steps.map((step) => stepHtml(step, logTails.get(step.id), now, base)),
  ])}</div>`
}

function stepHtml(step: StepRecord, logTail: readonly string[] | undefined, now: number, base: string): Html {
  const open = step.status === "failed" || step.status === "errored" || step.status === "waiting"
  const took = stepDuration(step, now)
  const time = step.cached ? "cached" : took === undefined || step.status === "skipped" ? "" : duration(took)
  return markup`<details id="${anchor(step.id)}"${open ? markup` open` : undefined}><summary>${icon(step.status)}<span class="id">${step.id}</span><span class="word ${step.status}">${step.status}</span><span class="time">${time}</span><span class="note">${stepNote(step)}</span></summary><div class="body">${
    step.error === undefined ? undefined : faultHtml(step.error, step.status)
  }${step.reason === undefined ? undefined : markup`<p>${step.reason}</p>`}${step.reports.map(reportHtml)}${artifacts(step, base)}${log(step, logTail, base)}${facts(step)}</div></details>\n`
}

function artifacts(step: StepRecord, base: string): Html | undefined {
  if (step.artifacts.length === 0) return undefined
  const prefix = `artifacts/${step.id}/`
  const rows = step.artifacts.map(({ path, size, sha256 }) => {
    const name = path.startsWith(prefix) ? path.slice(prefix.length) : path
    return markup`<tr><td><a href="${fileHref(base + path)}">${name}</a></td><td class="keep">${bytes(size)}</td><td class="mono small muted">${shortDigest(sha256)}</td></tr>`
  })
  return markup`<details class="more"><summary>${plural(rows.length, "artifact")}</summary><div class="scroll"><table><thead><tr><th scope="col">File</th><th scope="col">Size</th><th scope="col">SHA-256</th></tr></thead><tbody>${rows}</tbody></table></div></details>\n`
}

function log(step: StepRecord, tail: readonly string[] | undefined, base: string): Html | undefined {
  if (tail === undefined || tail.length === 0) return undefined
  const whole = markup`<p class="small"><a href="${fileHref(`${base}steps/${step.id}/log.txt`)}">The whole log</a></p>`
  const red = step.status === "failed" || step.status === "errored"
  return markup`<details class="more"${red ? markup` open` : undefined}><summary>Last ${plural(tail.length, "line")} of the log</summary><pre>${tail.join(
    "\n",
  )}</pre>${whole}</details>\n`
}

function facts(step: StepRecord): Html {
  const parts: Html[] = [
    markup`${step.kind === "gate" ? "gate: a person decides" : step.kind === "effect" ? "effect: changes the world outside, never cached" : "pure: cached by its inputs"}`,
    ...(step.startedAt === undefined || step.cached ? [] : [markup`started ${moment(step.startedAt)}`]),
    ...(step.attempts > 1 && step.kind !== "gate" ? [markup`${step.attempts} attempts`] : []),
    ...(step.needs.length === 0
      ? []
      : [markup`after ${step.needs.map((id, i) => markup`${i === 0 ? "" : ", "}<a href="#${anchor(id)}">${id}</a>`)}`]),
    ...(step.effect === undefined ? [] : [markup`unsettled effect <span class="mono">${step.effect}</span>`]),
    ...(step.fingerprint === undefined
      ? []
      : [markup`fingerprint <span class="mono">${shortDigest(step.fingerprint)}</span>`]),
  ]
  return markup`<p class="small muted">${parts.map((part, i) => [i === 0 ? undefined : " · ", part])}</p>`
}
