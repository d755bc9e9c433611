import { LineCounter, parseDocument } from "yaml"

/** Line (1 is the first) of a field in a YAML text; undefined when it is not there: then its parent's. */
export function yamlLine(text: string, path: readonly PropertyKey[]): number | undefined {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter })
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as { readonly range?: readonly number[] } | undefined
    if (node?.range?.[0] !== undefined) return counter.linePos(node.range[0]).line
  }
  return undefined
}

/**
 * Line of a field in a TypeScript object literal, found by following the keys of its path through the text. An
 * approximation that is right for configurations as people write them; undefined when a key is computed elsewhere.
 */
export function sourceLine(text: string, path: readonly PropertyKey[]): number | undefined {
  let position = 0
  let found: number | undefined
  for (const key of path) {
    if (typeof key !== "string") continue
    const escaped = key.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
    const match = new RegExp(`(?<![\\w$])["']?${escaped}["']?\\s*:|(?<![\\w$."'])${escaped}(?=\\s*[,}])`).exec(
      text.slice(position),
    )
    if (match === null) break
    position += match.index
    found = position
    position += match[0].length
  }
  return found === undefined ? undefined : text.slice(0, found).split("\n").length
}
