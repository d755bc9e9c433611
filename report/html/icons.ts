import type { RunStatus, StepStatus } from "../../core/events.js"
import { markup, trusted, type Html } from "./markup.js"

/** Signs of the statuses, each with a shape of its own: whoever sees no colours can tell them apart. 16 by 16. */
const shapes: Readonly<Record<StepStatus, string>> = {
  success: `<circle cx="8" cy="8" r="7.5" fill="currentColor"/><path d="M4.6 8.3l2.3 2.3 4.6-5" class="cut"/>`,
  failed: `<circle cx="8" cy="8" r="7.5" fill="currentColor"/><path d="M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2" class="cut"/>`,
  errored: `<path d="M8 .8L15.6 14.6H.4z" fill="currentColor" stroke="currentColor" stroke-linejoin="round"/><path d="M8 6v3.6M8 12v.2" class="cut"/>`,
  waiting: `<circle cx="8" cy="8" r="7.5" fill="currentColor"/><path d="M6 5v6M10 5v6" class="cut"/>`,
  running: `<circle cx="8" cy="8" r="6.7" class="ring"/><path d="M6.3 4.9L11 8l-4.7 3.1z" fill="currentColor"/>`,
  skipped: `<circle cx="8" cy="8" r="6.7" class="ring" stroke-dasharray="2.6 2.2"/><path d="M5 8h6" class="line"/>`,
  cancelled: `<circle cx="8" cy="8" r="6.7" class="ring"/><path d="M3.6 12.4l8.8-8.8" class="line"/>`,
  pending: `<circle cx="8" cy="8" r="6.7" class="ring" stroke-dasharray="2.6 2.2"/>`,
}

/** Once in the page, before the first use. */
export const iconSheet: Html = trusted(
  `<svg width="0" height="0" class="sheet" aria-hidden="true">${Object.entries(shapes)
    .map(([status, shape]) => `<symbol id="i-${status}" viewBox="0 0 16 16">${shape}</symbol>`)
    .join("")}</svg>`,
)

/** The sign of a status; `x` and `y` place it inside a drawing. The word stands beside it or is its title. */
export function icon(status: StepStatus | RunStatus, place?: { readonly x: number; readonly y: number }): Html {
  return place === undefined
    ? markup`<svg class="icon ${status}" width="16" height="16" role="img" aria-label="${status}"><use href="#i-${status}"/></svg>`
    : markup`<use href="#i-${status}" x="${place.x}" y="${place.y}" width="16" height="16" class="icon ${status}"/>`
}

/** The sign of a run for the browser's tab. */
export function favicon(status: RunStatus): string {
  const fill: Readonly<Record<RunStatus, string>> = {
    success: "#1a7f37",
    failed: "#cf222e",
    errored: "#8250df",
    waiting: "#9a6700",
    running: "#0969da",
    cancelled: "#59636e",
  }
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" color="${fill[status]}">` +
    `<style>.cut{fill:none;stroke:#fff;stroke-width:1.7}.ring,.line{fill:none;stroke:currentColor;stroke-width:1.6}</style>` +
    `${shapes[status]}</svg>`
  return `data:image/svg+xml,${encodeURIComponent(svg)}`
}
