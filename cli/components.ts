import type { ComponentStatus } from "../engine/index.js"
import { createStyle } from "../report/style.js"
import { table } from "../report/table.js"
import { textOptions } from "./view.js"

/** The stack's components as a table for people, and below it what is wrong with which. */
export function componentTable(components: readonly ComponentStatus[]): string {
  const style = createStyle(textOptions())
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
