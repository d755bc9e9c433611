import { inline, inlineText, libraryText, libraryYaml, type Place } from "./library-yaml.js"
import type { GitlabFile } from "./model.js"

type Fields = Readonly<Record<string, unknown>>

/**
 * A configuration as YAML: an empty line between entries, short lists in a line, nothing folded. Character for character what
 * the YAML library makes of it; for a hundred services that takes a third of the whole command's time, and what they need is
 * very little of YAML. What is out of the ordinary is still the library's to write.
 */
export function gitlabYaml({ jobs, ...head }: GitlabFile): string {
  const all: Fields = { ...head, ...jobs }
  const names = Object.keys(all).filter((name) => all[name] !== undefined)
  return names.length === 0 ? libraryYaml({}) : names.map((name) => entry({ [name]: all[name] })).join("\n")
}

function entry(fields: Fields): string {
  const written = `${mapIn(fields, "\n")}\n`
  return written.includes(beyond) ? libraryYaml(fields) : written
}

/** Stands for what is not written here. No text has it: control characters are escaped. */
const beyond = "\0"

/** @param line A line break with the indentation of this map: "\n    " */
function mapIn(map: Fields, line: string): string {
  let written = ""
  for (const key of Object.keys(map)) {
    const value = map[key]
    if (value === undefined) continue
    if (written !== "") written += line
    written += `${keyText(key, "key")}:${valueIn(key, value, line)}`
  }
  return written
}

function valueIn(key: string, value: unknown, line: string): string {
  if (typeof value !== "object" || value === null) return ` ${scalar(value, "value")}`
  if (Array.isArray(value)) {
    const short = value.length === 0 || (inline.has(key) && !value.some(isLong))
    return short ? ` ${onOneLine(value)}` : `${line}  ${listIn(value, `${line}  `)}`
  }
  const map = value as Fields
  return isShort(map) ? ` ${onOneLine(map)}` : `${line}  ${mapIn(map, `${line}  `)}`
}

function listIn(list: readonly unknown[], line: string): string {
  let written = ""
  for (const item of list) {
    written += written === "" ? "- " : `${line}- `
    if (typeof item !== "object" || item === null) written += scalar(item, "value")
    else if (Array.isArray(item)) written += item.length === 0 ? "[]" : listIn(item, `${line}  `)
    else {
      const map = item as Fields
      // A need fits into a line.
      const short = isShort(map) || (map["job"] !== undefined && map["artifacts"] !== undefined)
      written += short ? onOneLine(map) : mapIn(map, `${line}  `)
    }
  }
  return written
}

function onOneLine(value: unknown): string {
  if (typeof value !== "object" || value === null) return scalar(value, "inline")
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(", ")}]`
  const map = value as Fields
  if (Array.isArray(map["reference"])) return `!reference ${onOneLine(map["reference"])}`
  let written = ""
  for (const key of Object.keys(map)) {
    if (map[key] === undefined) continue
    if (written !== "") written += ", "
    written += `${keyText(key, "inlineKey")}: ${onOneLine(map[key])}`
  }
  return `{${written}}`
}

function scalar(value: unknown, place: Place): string {
  if (typeof value === "string") return text(value, place)
  if (typeof value === "boolean") return String(value)
  return Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : beyond
}

/** Much longer keys are written in another way. */
const keyText = (key: string, place: Place) => (key.length < 150 ? text(key, place) : beyond)

/** Nothing else than a text to any reader of YAML, wherever it stands; but for these few words. */
const ordinary = /^\.?[A-Za-z_$/](?:[\w$./*="()|&~^ -]*[\w$./*")])?$/
const word = /^(?:true|false|null|\.inf|\.nan)$/i

const known = new Map<string, string>()

function text(value: string, place: Place): string {
  if (ordinary.test(value) && (value.length > 5 || !word.test(value))) return value
  const key = `${place} ${value}`
  const written = known.get(key) ?? (/[\n\r]|^(?:---|\.\.\.)/.test(value) ? beyond : libraryText(value, place))
  known.set(key, written)
  return written
}

const isLong = (item: unknown) => typeof item !== "object" && String(item).length > inlineText

function isShort(map: Fields): boolean {
  return Array.isArray(map["reference"]) || Object.values(map).every((value) => value === undefined)
}
