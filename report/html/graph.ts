import type { RunRecord, StepRecord } from "../../core/record.js"
import { duration } from "../format.js"
import { stepDuration } from "../timing.js"
import { textWidth, truncate } from "../width.js"
import { icon } from "./icons.js"
import { layoutGraph, nodeHeight, type Placed } from "./layout.js"
import { markup, type Html } from "./markup.js"

/** The steps as a drawing: what needed what, how it went, how long it took. Each node leads to its step. */
export function graphSvg(record: RunRecord, now: number): Html {
  const names = new Map(record.steps.map((step) => [step.id, truncate(shortName(step), 24)]))
  const layout = layoutGraph(
    record.steps.map((step) => ({
      id: step.id,
      needs: step.needs,
      group: step.service,
      width: Math.max(92, 44 + pixels(names.get(step.id) ?? ""), 44 + pixels(nodeState(step, now))),
    })),
  )
  const byId = new Map(record.steps.map((step) => [step.id, step]))
  const { width, height } = layout
  return markup`<svg class="graph${width > 2200 ? " huge" : width > 860 ? " wide" : ""}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="group" aria-label="Graph of the steps; the list of steps below says the same in words">
${layout.panels.map(
  (panel) =>
    markup`<rect class="lane" x="${panel.x}" y="${panel.y}" width="${panel.width}" height="${panel.height}" rx="10"/>${
      panel.first
        ? markup`<text class="lane-name" x="${panel.x + 12}" y="${panel.y + 17}">${panel.group}</text>`
        : undefined
    }`,
)}
${layout.edges.map(({ from, to, points }) => {
  const idle = [byId.get(from), byId.get(to)].some((step) => step?.status === "skipped" || step?.status === "pending")
  return markup`<path class="${idle ? "edge idle" : "edge"}" d="${path(points)}"/>`
})}
${record.steps.map((step) => {
  const place = layout.nodes.get(step.id)
  return place === undefined ? undefined : node(step, place, names.get(step.id) ?? step.id, now)
})}
</svg>`
}

function node(step: StepRecord, { x, y, width }: Placed, name: string, now: number): Html {
  const state = nodeState(step, now)
  return markup`<a href="#${anchor(step.id)}" class="node ${step.status}"><title>${step.id}: ${step.status}${
    state === step.status ? "" : `, ${state}`
  }</title><rect x="${x}" y="${y}" width="${width}" height="${nodeHeight}" rx="8"/>${icon(step.status, {
    x: x + 10,
    y: y + 14,
  })}<text class="name" x="${x + 34}" y="${y + 19}">${name}</text><text class="state" x="${x + 34}" y="${y + 34}">${state}</text></a>
`
}

function nodeState(step: StepRecord, now: number): string {
  if (step.cached) return "cached"
  if (step.status === "success" || step.status === "failed" || step.status === "errored") {
    return duration(stepDuration(step) ?? 0)
  }
  if (step.status === "running") return `${duration(stepDuration(step, now) ?? 0)} …`
  return step.status
}

/** Fragment of a step's place in the page. */
export const anchor = (id: string) => `step-${encodeURIComponent(id)}`

/** In its lane a step needs its service's name no more. */
const shortName = (step: StepRecord) =>
  step.service !== undefined && step.id.startsWith(`${step.service}.`)
    ? step.id.slice(step.service.length + 1)
    : step.id

/** What a text of 12.5 px takes at most: in the widest of the usual fonts. */
const pixels = (text: string) => Math.ceil(textWidth(text) * 7.9)

const round = (n: number) => Math.round(n * 10) / 10

/** Level at its ends, so that it leaves and enters a node straight. */
function path(points: readonly (readonly [number, number])[]): string {
  const [first, ...rest] = points
  if (first === undefined) return ""
  let [x, y] = first
  let d = `M${round(x)} ${round(y)}`
  for (const [nextX, nextY] of rest) {
    const bend = (nextX - x) / 2
    d +=
      nextY === y
        ? `H${round(nextX)}`
        : `C${round(x + bend)} ${round(y)} ${round(nextX - bend)} ${round(nextY)} ${round(nextX)} ${round(nextY)}`
    ;[x, y] = [nextX, nextY]
  }
  return d
}
