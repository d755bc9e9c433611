import { XMLParser, XMLValidator } from "fast-xml-parser"

export interface Coverage {
  /** Lines that can be covered, and those that were. */
  readonly lines: number
  readonly covered: number
}

/**
 * Line coverage of an LCOV file or a JaCoCo XML report, told apart by their contents.
 * LCOV: geninfo(1), records `DA:<line>,<hits>` per `SF:` file. JaCoCo: report.dtd, counter LINE of the report.
 * @returns undefined when the text is neither
 */
export function parseCoverage(text: string): Coverage | undefined {
  if (/^\s*<(\?xml|report)/.test(text)) return jacoco(text)
  return /^(TN|SF):/m.test(text) ? lcov(text) : undefined
}

/** Covered lines in percent, one decimal; undefined when there is nothing to cover. */
export function percent(parts: readonly Coverage[]): number | undefined {
  const lines = parts.reduce((sum, part) => sum + part.lines, 0)
  const covered = parts.reduce((sum, part) => sum + part.covered, 0)
  return lines === 0 ? undefined : Math.round((covered / lines) * 1000) / 10
}

/** A file may have several records (one per test): a line counts once, covered if any of them covers it. */
function lcov(text: string): Coverage {
  const hits = new Map<string, boolean>()
  let file = ""
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("SF:")) file = line.slice(3)
    const data = /^DA:(\d+),(\d+)/.exec(line)
    if (data === null) continue
    const key = `${file}:${data[1] ?? ""}`
    hits.set(key, (hits.get(key) ?? false) || Number(data[2]) > 0)
  }
  return { lines: hits.size, covered: [...hits.values()].filter(Boolean).length }
}

interface Counter {
  readonly "@type": string
  readonly "@missed": string
  readonly "@covered": string
}

function jacoco(text: string): Coverage | undefined {
  if (XMLValidator.validate(text) !== true) return undefined
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: "@",
    parseTagValue: false,
    // The report's own counter is wanted; the packages are most of the file.
    stopNodes: ["report.package", "report.group"],
    isArray: (name) => name === "counter",
  })
  const parsed = parser.parse(text) as { readonly report?: { readonly counter?: readonly Counter[] } }
  if (parsed.report === undefined || typeof parsed.report !== "object") return undefined
  const counter = parsed.report.counter?.find((c) => c["@type"] === "LINE")
  if (counter === undefined) return { lines: 0, covered: 0 }
  const covered = Number(counter["@covered"])
  return { lines: covered + Number(counter["@missed"]), covered }
}
