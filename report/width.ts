import { stripVTControlCharacters } from "node:util"

/** Text as a terminal shows it: how many columns it takes, and nothing in it that moves the cursor. */

const printableAscii = /^[\x20-\x7e]*$/
// Marks and format characters take no column of their own: accents, joiners, variation selectors.
const noWidth = /^[\p{Mn}\p{Me}\p{Cf}\u{1160}-\u{11ff}]$/u
const emoji = /\p{Emoji_Presentation}|\p{Emoji}\ufe0f/u
/** Unicode's East Asian Width "W" and "F" (UAX #11) beside emoji, as pairs from–to. */
const wide: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18aff],
  [0x1aff0, 0x1b2ff],
  [0x1f200, 0x1f2ff],
  [0x20000, 0x3fffd],
]
const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" })

function clusterWidth(cluster: string): number {
  const first = cluster.codePointAt(0) ?? 0
  if (first < 0x20 || (first >= 0x7f && first < 0xa0)) return 0
  if (emoji.test(cluster)) return 2
  const character = String.fromCodePoint(first)
  if (noWidth.test(character)) return 0
  return wide.some(([from, to]) => first >= from && first <= to) ? 2 : 1
}

/** Columns that a text takes; colour sequences take none. */
export function textWidth(text: string): number {
  if (printableAscii.test(text)) return text.length
  const plain = stripVTControlCharacters(text)
  if (printableAscii.test(plain)) return plain.length
  let width = 0
  for (const { segment } of segmenter.segment(plain)) width += clusterWidth(segment)
  return width
}

/** Cuts a text without colours to so many columns, the last of them "…" when something was lost. */
export function truncate(text: string, columns: number, mark = "…"): string {
  if (columns <= 0) return ""
  // No character is narrower than its share of code units, so a short text fits unmeasured.
  if (printableAscii.test(text)) {
    return text.length <= columns ? text : text.slice(0, Math.max(0, columns - textWidth(mark))) + mark
  }
  if (textWidth(text) <= columns) return text
  const room = columns - textWidth(mark)
  let width = 0
  let kept = ""
  for (const { segment } of segmenter.segment(text)) {
    width += clusterWidth(segment)
    if (width > room) break
    kept += segment
  }
  return kept + mark
}

/** Spaces behind (or before) a text until it takes so many columns. */
export function pad(text: string, columns: number, side: "left" | "right" = "left"): string {
  const spaces = " ".repeat(Math.max(0, columns - textWidth(text)))
  return side === "left" ? text + spaces : spaces + text
}

/** Breaks a text into lines of at most so many columns, at spaces where there are some. Indentation is kept. */
export function wrap(text: string, columns: number): string[] {
  const room = Math.max(8, columns)
  return text.split("\n").flatMap((line) => {
    if (textWidth(line) <= room) return [line]
    const lines: string[] = []
    let current = ""
    for (const word of line.split(/(?<= )/)) {
      let rest = word
      if (textWidth(current + rest.trimEnd()) > room && current !== "") {
        lines.push(current.trimEnd())
        current = ""
      }
      while (textWidth(rest.trimEnd()) > room) {
        const head = truncate(rest, room, "")
        if (head === "") break
        lines.push(head)
        rest = rest.slice(head.length)
      }
      current += rest
    }
    return current.trim() === "" ? lines : [...lines, current.trimEnd()]
  })
}

// Control characters, and the marks that turn the direction of what follows: a log must not rewrite the line it stands in.
const unsafe = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** Text from outside (a log, a finding's title) made safe to print: no escapes, no controls; newlines stay, tabs become spaces. */
export function clean(text: string): string {
  if (printableAscii.test(text)) return text
  return stripVTControlCharacters(text).replace(/\r\n/g, "\n").replaceAll("\t", "  ").replace(unsafe, "")
}

/** The same for something that has to stay one line. Of a progress bar that redraws itself with `\r`, what was last visible. */
export function cleanLine(text: string): string {
  if (printableAscii.test(text)) return text
  const visible = text.includes("\r") ? (text.split("\r").findLast((part) => part.trim() !== "") ?? "") : text
  return clean(visible).replaceAll("\n", " ")
}
