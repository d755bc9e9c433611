import { attributes } from "../xml.js"
import { addLines, coverageLines } from "./coverage-lines.js"
import { keptAs, type CiInput } from "./input.js"

/**
 * The coverage of a job in the format of Cobertura (http://cobertura.sourceforge.net/xml/coverage-04.dtd). File names are
 * relative to the repository and there is no `source`: GitLab takes them as they are then
 * (gitlab-org/gitlab, lib/gitlab/ci/parsers/coverage/documents/cobertura_document.rb). Files that are not in the repository are left out.
 */
export function jobCobertura(input: CiInput): string {
  const files = new Map<string, Map<number, number>>()
  for (const { step, text } of keptAs(input, "coverage")) {
    for (const [named, lines] of coverageLines(text) ?? []) {
      const path = input.locate(step.service, named)
      if (path !== undefined) addLines(files, path, lines)
    }
  }
  const packages = new Map<string, string[]>()
  for (const path of [...files.keys()].sort()) {
    const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "."
    packages.set(folder, [...(packages.get(folder) ?? []), path])
  }
  const body = [...packages].map(([folder, paths]) => {
    const all = paths.map((path) => [path, files.get(path) ?? new Map<number, number>()] as const)
    const rates = rate(all.flatMap(([, lines]) => [...lines.values()]))
    return `    <package${attributes({ name: folder, ...rates.shown })}>
      <classes>
${all.map(([path, lines]) => classXml(path, lines)).join("\n")}
      </classes>
    </package>`
  })
  const total = rate([...files.values()].flatMap((lines) => [...lines.values()]))
  const head = attributes({
    ...total.shown,
    "lines-covered": total.covered,
    "lines-valid": total.valid,
    "branches-covered": 0,
    "branches-valid": 0,
    version: "1",
    timestamp: Math.floor(Date.parse(input.record.startedAt) / 1000) || 0,
  })
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">
<coverage${head}>
  <sources/>
  <packages>
${body.map((part) => part + "\n").join("")}  </packages>
</coverage>
`
}

function classXml(path: string, lines: ReadonlyMap<number, number>): string {
  const name = path.slice(path.lastIndexOf("/") + 1)
  const rows = [...lines]
    .sort(([a], [b]) => a - b)
    .map(([line, hits]) => `            <line${attributes({ number: line, hits })}/>`)
  const head = attributes({ name, filename: path, ...rate([...lines.values()]).shown })
  return `        <class${head}>
          <methods/>
          <lines>
${rows.map((row) => row + "\n").join("")}          </lines>
        </class>`
}

function rate(hits: readonly number[]) {
  const covered = hits.filter((n) => n > 0).length
  const share = hits.length === 0 ? 0 : covered / hits.length
  return { covered, valid: hits.length, shown: { "line-rate": share.toFixed(4), "branch-rate": "0", complexity: "0" } }
}
