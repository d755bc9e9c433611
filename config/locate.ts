import { isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml"

/** Line (1 is the first) of a field in a YAML text: of its key; where it is missing, of what it is missing in. */
export function yamlLine(text: string, path: readonly PropertyKey[]): number | undefined {
  const counter = new LineCounter()
  let node: unknown = parseDocument(text, { lineCounter: counter }).contents
  let found: number | undefined
  for (const key of path) {
    let at: unknown
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key))
      at = pair?.key
      node = pair?.value
    } else if (isSeq(node) && typeof key === "number") {
      at = node = node.items[key]
    }
    const offset = (at as { readonly range?: readonly number[] } | undefined)?.range?.[0]
    if (offset === undefined) break
    found = offset
  }
  return found === undefined ? undefined : counter.linePos(found).line
}

/**
 * Line (1 is the first) of a field in a TypeScript module whose default export is an object literal, or a call with one, as
 * configurations are written. Where the way to the field ends (it is missing, or its value is made elsewhere) the line of
 * the last part of it. Undefined when there is no such literal.
 */
export function sourceLine(text: string, path: readonly PropertyKey[]): number | undefined {
  let value = defaultExport(text)
  let found = value
  for (const key of path) {
    if (value === undefined) break
    const member: Member | undefined =
      typeof key === "number" ? elementAt(text, value, key) : memberAt(text, value, String(key))
    if (member === undefined) break
    found = member.key
    value = member.value
  }
  return found === undefined ? undefined : text.slice(0, found).split("\n").length
}

interface Member {
  /** Where its name stands; for an element of a list where it begins. */
  readonly key: number
  /** Where its value begins; undefined for `{ name }` and `{ name() {} }`. */
  readonly value: number | undefined
}

/** Where the literal of the default export begins, also when it has a name first: `const config = {…}; export default config`. */
function defaultExport(text: string): number | undefined {
  const start = /(?:^|[;\n])[ \t]*export\s+default\s+/.exec(text)
  if (start === null) return undefined
  const at = start.index + start[0].length
  const open = openingBrace(text, at)
  if (open !== undefined) return open
  const name = /^[\w$]+/.exec(text.slice(at))?.[0]
  const made =
    name === undefined ? null : new RegExp(`(?:const|let|var)\\s+${name.replace(/\$/g, "\\$")}\\b[^=]*=\\s*`).exec(text)
  return made === null ? undefined : openingBrace(text, made.index + made[0].length)
}

/** The `{` of `{…}`, `({…})` or `call({…})` at this place. */
function openingBrace(text: string, at: number): number | undefined {
  const call = /^(?:[\w$.]+\s*)?\(?\s*/.exec(text.slice(at))?.[0] ?? ""
  const open = skipBlank(text, at + call.length)
  return text[open] === "{" ? open : undefined
}

function memberAt(text: string, open: number, wanted: string): Member | undefined {
  if (text[open] !== "{") return undefined
  for (let i = skipBlank(text, open + 1); i < text.length && text[i] !== "}";) {
    const name = /^(?:"([^"]*)"|'([^']*)'|([\w$]+))/.exec(text.slice(i))
    const after = name === null ? i : skipBlank(text, i + name[0].length)
    if (name !== null && (name[1] ?? name[2] ?? name[3]) === wanted) {
      return { key: i, value: text[after] === ":" ? skipBlank(text, after + 1) : undefined }
    }
    i = nextMember(text, i)
  }
  return undefined
}

function elementAt(text: string, open: number, wanted: number): Member | undefined {
  if (text[open] !== "[") return undefined
  let i = skipBlank(text, open + 1)
  for (let n = 0; i < text.length && text[i] !== "]"; n++) {
    if (n === wanted) return { key: i, value: i }
    i = nextMember(text, i)
  }
  return undefined
}

/** Behind the comma that ends the member at `i`, or at the bracket that ends the whole. */
function nextMember(text: string, i: number): number {
  for (let depth = 0; i < text.length; i = skipBlank(text, i)) {
    const c = text[i] as string
    if (depth === 0 && c === ",") return skipBlank(text, i + 1)
    if (depth === 0 && "}])".includes(c)) return i
    if ("{[(".includes(c)) depth++
    if ("}])".includes(c)) depth--
    i = `"'\``.includes(c) ? endOfText(text, i) : i + 1
  }
  return i
}

function endOfText(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === "\\") i++
    else if (text[i] === text[start]) return i + 1
  }
  return text.length
}

/** Past white space and comments. */
function skipBlank(text: string, start: number): number {
  const blank = /(?:\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y
  blank.lastIndex = start
  blank.exec(text)
  return Math.max(blank.lastIndex, start)
}
