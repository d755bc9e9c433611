import { XMLParser, XMLValidator } from "fast-xml-parser"

/** Hits by line, by file as the report names it. */
export type FileLines = ReadonlyMap<string, ReadonlyMap<number, number>>

/**
 * The lines of an LCOV file (geninfo(1): `DA:<line>,<hits>` per `SF:` file) or a JaCoCo XML report (report.dtd: `line` of a
 * `sourcefile` with `ci` covered instructions). Undefined when the text is neither.
 */
export function coverageLines(text: string): FileLines | undefined {
  if (/^\s*<(\?xml|report)/.test(text)) return jacoco(text)
  return /^(TN|SF):/m.test(text) ? lcov(text) : undefined
}

/** The same file of several tests: hits add up. */
export function addLines(
  all: Map<string, Map<number, number>>,
  file: string,
  lines: ReadonlyMap<number, number>,
): void {
  const known = all.get(file) ?? new Map<number, number>()
  for (const [line, hits] of lines) known.set(line, (known.get(line) ?? 0) + hits)
  all.set(file, known)
}

function lcov(text: string): FileLines {
  const all = new Map<string, Map<number, number>>()
  let file = ""
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("SF:")) file = line.slice(3).trim()
    const data = /^DA:(\d{1,7}),(\d+)/.exec(line)
    if (data === null || file === "") continue
    addLines(all, file, new Map([[Number(data[1]), Math.min(Number(data[2]), 1_000_000_000)]]))
  }
  return all
}

interface Source {
  readonly name?: string
  readonly line?: readonly { readonly nr?: string; readonly ci?: string }[]
}
interface Package {
  readonly name?: string
  readonly sourcefile?: readonly Source[]
}
interface Group {
  readonly package?: readonly Package[]
  readonly group?: readonly Group[]
}

function jacoco(text: string): FileLines | undefined {
  if (XMLValidator.validate(text) !== true) return undefined
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: "",
    parseTagValue: false,
    isArray: (name) => ["package", "sourcefile", "line", "group"].includes(name),
  })
  const { report } = parser.parse(text) as { readonly report?: Group }
  if (report === undefined || typeof report !== "object") return undefined
  const all = new Map<string, Map<number, number>>()
  const gather = (group: Group): void => {
    for (const { name = "", sourcefile = [] } of group.package ?? []) {
      for (const source of sourcefile) {
        const lines = (source.line ?? []).map(({ nr, ci }) => [Number(nr), Number(ci) > 0 ? 1 : 0] as const)
        const path = name === "" ? (source.name ?? "") : `${name}/${source.name ?? ""}`
        addLines(all, path, new Map(lines.filter(([line]) => Number.isInteger(line) && line > 0)))
      }
    }
    for (const inner of group.group ?? []) gather(inner)
  }
  gather(report)
  return all
}
