import type { Difference, Parity } from "./parity.js"
import { plural } from "./format.js"
import { createStyle, type TextOptions } from "./style.js"
import { cleanLine } from "./width.js"

/** What two runs do not have in common, for a person: a paragraph for each step, what may differ at the end. */
export function renderParity(a: string, b: string, parity: Parity, options: TextOptions = {}): string {
  const { colors, dot } = createStyle(options)
  const { agreed, differences, allowed } = parity
  const verdict =
    differences.length === 0
      ? colors.green(`${a} and ${b} did the same: ${plural(agreed, "fact")} agree`)
      : colors.red(`${a} and ${b} differ in ${plural(differences.length, "fact")}`) + `, ${agreed} agree`
  const lines = [verdict, ...paragraphs(differences, (text) => colors.bold(text))]
  if (allowed.length > 0) {
    lines.push("", colors.dim(`What two runs may differ in ${dot} ${allowed.length}`))
    lines.push(...paragraphs(allowed, (text) => text).filter((line) => line !== ""))
  }
  return lines.join("\n")
}

function paragraphs(all: readonly Difference[], title: (text: string) => string): readonly string[] {
  return all.flatMap((d, i) => {
    const head = d.step ?? "run"
    const begins = i === 0 || (all[i - 1]?.step ?? "run") !== head
    return [
      ...(begins ? ["", title(head)] : []),
      `  ${d.what}`,
      `    first   ${said(d.a)}`,
      `    second  ${said(d.b)}`,
      ...(d.why === undefined ? [] : [`    ${cleanLine(d.why)}`]),
    ]
  })
}

const said = (text: string | undefined) => (text === undefined ? "(nothing)" : cleanLine(text))
