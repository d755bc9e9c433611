import { clean } from "./width.js"

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }

/** What XML 1.0 can hold of a text: no control characters, no lone surrogates, no U+FFFE and U+FFFF. */
export function xmlText(text: string): string {
  return clean(text)
    .toWellFormed()
    .replace(/[\ufffe\uffff]/g, "")
}

export function escapeXml(text: string): string {
  return xmlText(text).replace(/[&<>"]/g, (character) => entities[character] ?? "")
}

/** ` name="value"` for each. */
export function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value)).replaceAll("\n", "&#10;")}"`)
    .join("")
}
