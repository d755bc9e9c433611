import type { ComponentStatus, Finding } from "../engine/index.js"
import { createStyle } from "../report/style.js"
import { table } from "../report/table.js"
import { dataOptions } from "./view.js"

/** The stack's components as a table for people, and below it what is wrong with which. */
export function componentTable(components: readonly ComponentStatus[]): string {
  const style = createStyle(dataOptions())
  const rows = components.map((c) => [
    { text: c.title },
    { text: c.state },
    { text: c.version ?? "-" },
    { text: c.source ?? "-" },
    { text: c.address ?? "-" },
  ])
  const heads = [
    { title: "component" },
    { title: "state" },
    { title: "version" },
    { title: "from" },
    { title: "address", flexible: true },
  ]
  const problems = components.flatMap((c) => (c.problem === undefined ? [] : [`${c.title}: ${c.problem}`]))
  return [...table(heads, rows, style.columns, style.colors.dim), ...problems.map((p) => `! ${p}`)].join("\n")
}

const marks = { ok: "ok", absent: "absent", warning: "warning", unusable: "UNUSABLE" } as const

/** What `gantry doctor` found, by area; below it what to do about what. */
export function findingTable(findings: readonly Finding[]): string {
  const style = createStyle(dataOptions())
  const paint = {
    ok: style.colors.green,
    absent: style.colors.dim,
    warning: style.colors.yellow,
    unusable: style.colors.red,
  }
  const heads = [
    { title: "area" },
    { title: "component" },
    { title: "state" },
    { title: "version" },
    { title: "from" },
    { title: "detail", flexible: true },
  ]
  const rows = findings.map((f) => [
    { text: f.area },
    { text: f.title },
    { text: marks[f.state], paint: paint[f.state] },
    { text: f.version ?? "-" },
    { text: f.source ?? "-" },
    { text: f.detail },
  ])
  const hints = findings.flatMap((f) =>
    f.hint === undefined || f.state === "ok" ? [] : [`${f.title}: ${f.detail}`, `  now  ${f.hint}`],
  )
  return [...table(heads, rows, style.columns, style.colors.dim), ...(hints.length === 0 ? [] : ["", ...hints])].join(
    "\n",
  )
}
