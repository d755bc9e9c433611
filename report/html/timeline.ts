import type { RunRecord, StepRecord } from "../../core/record.js"
import { duration, plural } from "../format.js"
import { busySpans, criticalPath, stepDuration } from "../timing.js"
import { truncate } from "../width.js"
import { anchor } from "./graph.js"
import { icon } from "./icons.js"
import { markup, type Html } from "./markup.js"

const rowHeight = 24
const labelWidth = 230
const chartWidth = 960
const rightRoom = 90
const top = 26
const cutWidth = 44
/** Between the middles of two labels of the axis. */
const labelRoom = 80
/** Rows of a very large run: the ones that took longest. */
const mostRows = 120

interface Row {
  readonly step: StepRecord
  readonly from: number
  readonly to: number
}

/** Where the time went: a bar for each step that worked, stretches in which nothing happened cut out. */
export function timelineSvg(record: RunRecord, now: number): Html {
  const ran = record.steps.flatMap((step): Row[] => {
    const took = stepDuration(step, now)
    if (took === undefined || step.startedAt === undefined || step.cached || step.status === "skipped") return []
    const from = Date.parse(step.startedAt)
    return [{ step, from, to: from + took }]
  })
  if (ran.length === 0) return markup`<p class="muted">No step has run.</p>`
  const longest = [...ran].sort((a, b) => b.to - b.from - (a.to - a.from)).slice(0, mostRows)
  const rows = longest.sort((a, b) => a.from - b.from || a.to - b.to)
  const critical = new Set(criticalPath(record, now))
  const scale = timeScale(record, now)
  const height = top + rows.length * rowHeight + 8
  const width = labelWidth + chartWidth + rightRoom
  return markup`<svg class="timeline" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="group" aria-label="Timeline of the steps">
${scale.ticks.map(
  ({ x, label }) =>
    markup`<path class="grid" d="M${x} ${top - 6}V${height - 4}"/><text class="tick" x="${x}" y="${top - 12}">${label}</text>`,
)}${scale.cuts.map(
    ({ x, label }) =>
      markup`<rect class="cut-out" x="${x - cutWidth / 2 + 4}" y="${top - 6}" width="${cutWidth - 8}" height="${height - top + 2}"/><text class="tick" x="${x}" y="${top - 12}">${label}</text>`,
  )}
${rows.map(({ step, from, to }, i) => {
  const y = top + i * rowHeight
  const x = round(scale.x(from))
  const w = round(Math.max(2.5, scale.x(to) - scale.x(from)))
  const took = duration(to - from)
  return markup`<a href="#${anchor(step.id)}" class="row ${step.status}${critical.has(step.id) ? " critical" : ""}"><title>${step.id}: ${step.status}, ${took}${
    critical.has(step.id) ? ", on the critical path" : ""
  }</title><rect class="hit" x="0" y="${y}" width="${width}" height="${rowHeight}"/>${icon(step.status, { x: 2, y: y + 4 })}<text class="name" x="26" y="${y + 16}">${truncate(
    step.id,
    30,
  )}</text><rect class="bar" x="${x}" y="${y + 5}" width="${w}" height="14" rx="3"/><text class="took" x="${round(x + w + 6)}" y="${y + 16}">${took}</text></a>
`
})}
</svg>
${notes(record, ran.length - rows.length, critical)}`
}

function notes(record: RunRecord, hidden: number, critical: ReadonlySet<string>): Html {
  const cached = record.steps.filter((step) => step.cached).length
  const parts = [
    ...(critical.size > 1 ? ["Strong bars are the critical path: only shortening those shortens the run."] : []),
    ...(cached > 0 ? [`${plural(cached, "step")} came from the cache and took no time.`] : []),
    ...(hidden > 0 ? [`${plural(hidden, "shorter step")} left out.`] : []),
  ]
  return markup`<p class="muted small">${parts.join(" ")}</p>`
}

const round = (n: number) => Math.round(n * 10) / 10

interface Scale {
  x(time: number): number
  readonly ticks: readonly { readonly x: number; readonly label: string }[]
  readonly cuts: readonly { readonly x: number; readonly label: string }[]
}

/** Time to pixels. A night of waiting for an approval would leave a minute of work one pixel wide: such gaps are cut. */
function timeScale(record: RunRecord, now: number): Scale {
  const busy = busySpans(record, now)
  const work = busy.reduce((sum, span) => sum + span.to - span.from, 0)
  const pieces: { from: number; to: number; x: number }[] = []
  for (const span of busy) {
    const last = pieces[pieces.length - 1]
    if (last !== undefined && span.from - last.to <= Math.max(2000, work * 0.15)) last.to = span.to
    else pieces.push({ ...span, x: 0 })
  }
  const shown = pieces.reduce((sum, piece) => sum + piece.to - piece.from, 0)
  const perMs = (chartWidth - cutWidth * (pieces.length - 1)) / Math.max(1, shown)
  let x = labelWidth
  for (const piece of pieces) {
    piece.x = x
    x += (piece.to - piece.from) * perMs + cutWidth
  }
  const start = pieces[0]?.from ?? 0
  const toX = (time: number) => {
    const piece = pieces.findLast((p) => time >= p.from) ?? pieces[0]
    return piece === undefined ? labelWidth : piece.x + (Math.min(time, piece.to) - piece.from) * perMs
  }
  const step = tickStep(shown)
  const cuts = pieces.slice(1).map((piece, i) => ({
    x: round(piece.x - cutWidth / 2),
    label: `${duration(piece.from - (pieces[i]?.to ?? piece.from))} idle`,
  }))
  const free = ({ x }: { readonly x: number }) => cuts.every((cut) => Math.abs(cut.x - x) > labelRoom)
  return {
    x: toX,
    // Labels behind a gap would say "14 h 04 min 20 s": there the gap's own label has to do.
    ticks: pieces
      .slice(0, 1)
      .flatMap((piece) =>
        Array.from({ length: Math.floor((piece.to - piece.from) / step) + 1 }, (_, i) => ({
          x: round(toX(start + i * step)),
          label: i === 0 ? "0" : duration(i * step),
        })),
      )
      .filter(free),
    cuts,
  }
}

/** Round distances, so that about eight fit. Milliseconds. */
export function tickStep(total: number): number {
  const s = 1000
  const steps = [0.01, 0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400]
  return (steps.find((step) => total / (step * s) <= 8) ?? 604800) * s
}
