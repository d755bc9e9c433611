import type { RolloutReport } from "../../core/reports.js"
import { duration, percent } from "../format.js"
import { markup, type Html } from "./markup.js"
import { tickStep } from "./timeline.js"

const left = 78
const right = 16
const chart = 830
const width = left + chart + right
const top = 44
const gap = 34
const heights = { share: 70, errors: 84, latency: 84 }

/**
 * A rollout over time: the new release's share of the traffic, error rate and latency of both releases, and what happened
 * when. The same as a table, for whoever cannot see the drawing or wants the figures.
 */
export function rolloutHtml(report: RolloutReport): Html | undefined {
  const times = [...report.samples, ...report.marks].map(({ at }) => Date.parse(at)).filter(Number.isFinite)
  if (report.samples.length === 0) return undefined
  const start = Math.min(...times)
  const span = Math.max(1000, Math.max(...times) - start)
  const x = (at: string) => round(left + ((Date.parse(at) - start) / span) * chart)
  return markup`<div class="scroll">${drawing(report, x, span)}</div>${marks(report, start)}${last(report)}${table(report, start)}`
}

type X = (at: string) => number

function drawing(report: RolloutReport, x: X, span: number): Html {
  const shareTop = top
  const errorsTop = shareTop + heights.share + gap
  const latencyTop = errorsTop + heights.errors + gap
  const bottom = latencyTop + heights.latency
  const step = tickStep(span)
  const ticks = Array.from({ length: Math.floor(span / step) + 1 }, (_, i) => i * step)
  const measured = report.samples.filter((sample) => sample.canary !== undefined || sample.baseline !== undefined)
  return markup`<svg class="rollout" viewBox="0 0 ${width} ${bottom + 46}" width="${width}" height="${bottom + 46}" role="img" aria-label="Share of the traffic, error rate and latency during the rollout; the table below has the figures">
${ticks.map((tick) => {
  const at = round(left + (tick / span) * chart)
  return markup`<path class="grid" d="M${at} ${top}V${bottom}"/><text class="tick" x="${at}" y="${bottom + 16}">${tick === 0 ? "0" : duration(tick)}</text>`
})}
${panel("Traffic of the new release", shareTop, heights.share, "100 %")}<path class="share" d="${area(report, x, shareTop)}"/>
${lines(measured, x, { name: "Errors (5xx)", top: errorsTop, height: heights.errors, value: (m) => m?.errors, least: 0.02, text: (v) => percent(v * 100) })}
${lines(measured, x, { name: "Response time", top: latencyTop, height: heights.latency, value: (m) => m?.latency, least: 0.05, text: (v) => duration(v * 1000) })}
${measured.map(({ at, judgement }) => (judgement === undefined ? undefined : verdict(judgement, x(at), bottom)))}
${together(report, x).map(({ at, numbers, text }) => markup`<g><title>${text}</title><path class="mark" d="M${at} ${top - 20}V${bottom}"/><text class="number" x="${at}" y="${top - 24}">${numbers}</text></g>`)}
<g><path class="new" d="M${left} ${bottom + 36}h26"/><text class="tick" x="${left + 62}" y="${bottom + 40}">new release</text><path class="before" d="M${left + 120} ${bottom + 36}h26"/><text class="tick" x="${left + 192}" y="${bottom + 40}">release before</text>${(
    ["pass", "fail", "inconclusive"] as const
  ).map(
    (judgement, i) =>
      markup`${verdict(judgement, left + 280 + i * 70, bottom + 36)}<text class="tick" x="${left + 294 + i * 70 + judgement.length * 3}" y="${bottom + 40}">${judgement}</text>`,
  )}</g>
</svg>`
}

const panel = (name: string, y: number, height: number, largest: string): Html =>
  markup`<text class="panel" x="${left}" y="${y - 8}">${name}</text><path class="grid" d="M${left} ${y}h${chart}M${left} ${y + height}h${chart}"/><text class="value" x="${left - 8}" y="${y + 4}">${largest}</text><text class="value" x="${left - 8}" y="${y + height + 4}">0</text>`

/** The share holds until the next sample says otherwise. */
function area({ samples }: RolloutReport, x: X, y: number): string {
  const level = (share: number) => round(y + heights.share * (1 - Math.min(100, Math.max(0, share)) / 100))
  const base = y + heights.share
  const [first, ...rest] = samples
  if (first === undefined) return ""
  const steps = rest.map(({ at, percent: share }) => `H${x(at)}V${level(share)}`).join("")
  return `M${x(first.at)} ${base}V${level(first.percent)}${steps}H${x(samples[samples.length - 1]?.at ?? first.at)}V${base}Z`
}

type Sample = RolloutReport["samples"][number]
interface Panel {
  readonly name: string
  readonly top: number
  readonly height: number
  value(measured: Sample["canary"]): number | undefined
  /** The scale ends no lower than this. */
  readonly least: number
  text(value: number): string
}

function lines(samples: readonly Sample[], x: X, { name, top: y, height, value, least, text }: Panel): Html {
  const values = samples.flatMap(({ canary, baseline }) => [value(canary) ?? 0, value(baseline) ?? 0])
  const largest = niceCeiling(Math.max(least, ...values))
  const line = (of: (sample: Sample) => number | undefined) => {
    let pen = "M"
    let path = ""
    for (const sample of samples) {
      const figure = of(sample)
      // Where nothing was known, the line has a gap.
      if (figure === undefined) pen = "M"
      else {
        // A point that stands alone is a dot, thanks to the round cap.
        path += `${pen}${x(sample.at)} ${round(y + height * (1 - Math.min(figure, largest) / largest))}${pen === "M" ? "h0" : ""}`
        pen = "L"
      }
    }
    return path
  }
  return markup`${panel(name, y, height, text(largest))}<path class="before" d="${line((s) => value(s.baseline))}"/><path class="new" d="${line((s) => value(s.canary))}"/>`
}

/** By shape as well as colour: a dot, a ring, a cross. */
function verdict(judgement: "pass" | "fail" | "inconclusive", x: number, y: number): Html {
  const title = markup`<title>${judgement}</title>`
  if (judgement === "fail") return markup`<path class="fail" d="M${x - 4} ${y - 4}l8 8m0 -8l-8 8">${title}</path>`
  return markup`<circle class="${judgement}" cx="${x}" cy="${y}" r="${judgement === "pass" ? 3.4 : 4}">${title}</circle>`
}

/** Numbers of marks that are too close to stand side by side stand together. */
function together({ marks: all }: RolloutReport, x: X) {
  const groups: { at: number; numbers: string; text: string }[] = []
  for (const [i, { at, text }] of all.entries()) {
    const last = groups[groups.length - 1]
    if (last === undefined || x(at) - last.at > 16) groups.push({ at: x(at), numbers: String(i + 1), text })
    else {
      last.numbers = `${last.numbers.split("–")[0]}–${i + 1}`
      last.text += `; ${text}`
    }
  }
  return groups
}

function marks(report: RolloutReport, start: number): Html | undefined {
  if (report.marks.length === 0) return undefined
  return markup`<ol class="marks">${report.marks.map(({ at, text }) => markup`<li><span class="muted">${since(at, start)}</span> ${text}</li>`)}</ol>`
}

/** The chart has two figures; releases are judged by more. */
function last({ measures }: RolloutReport): Html | undefined {
  if (measures === undefined || measures.length === 0) return undefined
  return markup`<div class="scroll"><table><thead><tr><th scope="col">Metric</th><th scope="col">Last measurement</th><th scope="col">Verdict</th></tr></thead><tbody>${measures.map(
    ({ metric, text, judgement, dryRun }) =>
      markup`<tr${judgement === "fail" && !dryRun ? markup` class="blocking"` : undefined}><td class="keep">${metric}</td><td>${text}</td><td class="keep">${judgement}${dryRun ? " (decides nothing)" : ""}</td></tr>\n`,
  )}</tbody></table></div>`
}

function table(report: RolloutReport, start: number): Html {
  const both = (sample: Sample, text: (measured: NonNullable<Sample["canary"]>) => string | undefined) =>
    [sample.canary, sample.baseline].map((m) => (m === undefined ? undefined : text(m)) ?? "–").join(" / ")
  return markup`<details class="more"><summary>The figures</summary><div class="scroll"><table><thead><tr><th scope="col">After</th><th scope="col">Share</th><th scope="col">Requests, new / before</th><th scope="col">Errors (5xx)</th><th scope="col">Response time</th><th scope="col">Verdict</th></tr></thead><tbody>${report.samples.map(
    (sample) =>
      markup`<tr${sample.judgement === "fail" ? markup` class="blocking"` : undefined}><td class="keep">${since(sample.at, start)}</td><td class="keep">${percent(sample.percent)}</td><td class="keep">${both(sample, (m) => (m.requests === undefined ? undefined : String(m.requests)))}</td><td class="keep">${both(sample, (m) => (m.errors === undefined ? undefined : percent(m.errors * 100)))}</td><td class="keep">${both(sample, (m) => (m.latency === undefined ? undefined : duration(m.latency * 1000)))}</td><td>${sample.judgement ?? ""}</td></tr>\n`,
  )}</tbody></table></div></details>`
}

const since = (at: string, start: number) => (Date.parse(at) === start ? "0 s" : duration(Date.parse(at) - start))
const round = (n: number) => Math.round(n * 10) / 10

/** The next 1, 2 or 5 times a power of ten. */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 5, 10].find((factor) => factor * power >= value * 0.999) ?? 10) * power
}
