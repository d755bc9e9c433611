import { pad, textWidth, truncate } from "./width.js"

export interface Column {
  readonly title: string
  readonly align?: "left" | "right"
  /** This column gives way when the table is too wide; one column of a table at most. */
  readonly flexible?: boolean
}

export interface Cell {
  /** Without colours: it may have to be cut. */
  readonly text: string
  readonly paint?: ((text: string) => string) | undefined
}

/**
 * Columns under dim titles, two spaces apart, no frame: copies well out of a terminal.
 * @param columns Width that the table may take.
 */
export function table(
  heads: readonly Column[],
  rows: readonly (readonly Cell[])[],
  columns: number,
  title: (text: string) => string = (text) => text,
): string[] {
  const natural = heads.map((head, i) =>
    Math.max(textWidth(head.title), ...rows.map((row) => textWidth(row[i]?.text ?? ""))),
  )
  const total = natural.reduce((sum, width) => sum + width, 0) + 2 * (heads.length - 1)
  const widths = natural.map((width, i) =>
    heads[i]?.flexible === true && total > columns ? Math.max(4, width - (total - columns)) : width,
  )
  const line = (cells: readonly Cell[]) =>
    cells
      .map((cell, i) => {
        const width = widths[i] ?? 0
        const last = i === cells.length - 1 && heads[i]?.align !== "right"
        const text = truncate(cell.text, width)
        const padded = last ? text : pad(text, width, heads[i]?.align === "right" ? "right" : "left")
        return cell.paint === undefined ? padded : padded.replace(text, () => cell.paint?.(text) ?? text)
      })
      .join("  ")
      .trimEnd()
  return [line(heads.map((head) => ({ text: head.title, paint: title }))), ...rows.map(line)]
}
