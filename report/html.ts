import { createHash } from "node:crypto"
import type { RunRecord } from "../core/record.js"
import { faultHtml } from "./html/faults.js"
import { graphSvg } from "./html/graph.js"
import { deploymentsHtml, headHtml, whatNowHtml } from "./html/head.js"
import { favicon, iconSheet } from "./html/icons.js"
import { markup, trusted, type Html } from "./html/markup.js"
import { moment } from "./html/reports.js"
import { script } from "./html/script.js"
import { stepsHtml } from "./html/steps.js"
import { css } from "./html/style.js"
import { timelineSvg } from "./html/timeline.js"
import { shortCommit } from "./format.js"

export interface HtmlOptions {
  /** Last lines of the steps' logs, by step. Steps without one show none. */
  readonly logTails?: ReadonlyMap<string, readonly string[]> | undefined
  /** Where the run's folder is, seen from the page: "" (default) when it lies in it, else with a slash at the end. */
  readonly base?: string | undefined
  /** How the reader calls Gantry. Default "gantry". */
  readonly command?: string | undefined
  /** Instant up to which running steps are measured, milliseconds since 1970. Default: now. */
  readonly now?: number | undefined
}

/**
 * A run as one self-contained page: opens from the run's folder without a network, works without JavaScript, prints.
 * Links to logs and artifacts are relative to that folder. Everything in the record is hostile input and escaped; on top
 * of that the page's policy lets the browser run nothing but the page's own script, known by its hash.
 */
export function renderHtml(record: RunRecord, options: HtmlOptions = {}): string {
  const now = options.now ?? Date.now()
  const policy = `default-src 'none'; style-src '${hash(css)}'; script-src '${hash(script)}'; img-src data:; base-uri 'none'; form-action 'none'`
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="Gantry">
<title>${record.pipeline} ${record.status} · ${shortCommit(record.commit)}</title>
<link rel="icon" href="${favicon(record.status)}">
<style>${trusted(css)}</style>
</head>
<body>
${iconSheet}
${headHtml(record, now)}
<main>
${red(record)}${whatNowHtml(record, options.command)}${deploymentsHtml(record)}
<h2 id="graph">Steps as a graph</h2>
<div class="card scroll">${graphSvg(record, now)}</div>
<h2 id="timeline">Where the time went</h2>
<div class="card scroll">${timelineSvg(record, now)}</div>
<div class="head"><h2 id="steps">Steps</h2><div class="tools"><input id="filter" type="search" placeholder="Filter steps" aria-label="Filter steps"><button type="button" id="open-all">Open all</button><button type="button" id="close-all">Close all</button></div></div>
${stepsHtml(record, options.logTails ?? new Map(), now, options.base ?? "")}
</main>
<footer>Run ${record.id}, written ${moment(new Date(now).toISOString())}. The same as data: <a href="./run.json">run.json</a>${journal(options.base)}.</footer>
<script>${trusted(script)}</script>
</body>
</html>
`.html
}

/** The journal stays where the run's folder is; of a CI job's it is not among the artifacts. */
const journal = (base = "") => (base === "" ? markup`, <a href="./events.ndjson">events.ndjson</a>` : undefined)

const hash = (text: string) => `sha256-${createHash("sha256").update(text).digest("base64")}`

/** Why the run is red or waits, before anything else. */
function red(record: RunRecord): Html | undefined {
  const steps = record.steps.filter(
    (step) => ["failed", "errored", "waiting"].includes(step.status) && step.error !== undefined,
  )
  if (steps.length === 0 && record.error === undefined) return undefined
  const title = record.status === "waiting" ? "What it waits for" : "Why"
  return markup`<h2>${title}</h2><div class="card">${steps.map(
    (step) =>
      markup`<p><a href="#step-${encodeURIComponent(step.id)}"><b>${step.id}</b></a> ${step.status}</p>${
        step.error === undefined ? undefined : faultHtml(step.error, step.status)
      }`,
  )}${record.error === undefined ? undefined : faultHtml(record.error, record.status)}</div>`
}
