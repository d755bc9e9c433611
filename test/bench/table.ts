import type { Measured } from "./measure.js"

/** What was measured, for a person. */
export function renderMeasured(m: Measured): string {
  const measures = [...new Set(m.variants.flatMap((v) => Object.keys(v.median)))]
  const rows = [
    ["median of " + String(m.rounds), ...measures],
    ...m.variants.map((v) => [v.name, ...measures.map((name) => number(v.median[name]))]),
  ]
  const figures = m.figures.map((f) => [
    f.name,
    `${number(f.value)} ${f.unit}`,
    f.goal === undefined ? "" : `goal below ${number(f.goal)} ${f.unit}: ${f.met === true ? "met" : "MISSED"}`,
  ])
  return [m.title, "", ...align(rows), "", ...align(figures), ""].join("\n")
}

function number(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "-"
  return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** First column to the left, the others to the right, except a last one of words. */
function align(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(0, ...rows.map((r) => r.length))
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((r) => r[i]?.length ?? 0)))
  return rows.map((row) =>
    (
      "  " +
      row
        .map((cell, i) =>
          i === 0 || cell.includes("goal") ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0),
        )
        .join("  ")
    ).trimEnd(),
  )
}
