import { fault } from "../../core/errors.js"
import type { KnownFiles } from "./files.js"

export interface MappedCoverage {
  readonly format: "lcov" | "jacoco"
  /** The report as the scanner can read it: its paths are those of the scanner's container. */
  readonly text: string
  /** Files of the report, and those of them that are among the sources. */
  readonly files: number
  readonly matched: number
}

/**
 * Makes a coverage report fit for the scanner: LCOV gets paths relative to the service's folder; JaCoCo names packages,
 * which the scanner finds itself, so its files are only counted.
 * @param name of the report, for the error
 * @throws SONAR-COVERAGE when it is in neither format, or not one of its files is among the sources: SonarQube would
 * silently show 0 % then
 */
export function mapCoverage(text: string, known: KnownFiles, name: string): MappedCoverage {
  const mapped = /^(TN|SF):/m.test(text)
    ? lcov(text, known)
    : /<report[\s>]/.test(text)
      ? jacoco(text, known)
      : undefined
  if (mapped === undefined) {
    throw unusable(
      name,
      "It is neither LCOV nor JaCoCo's XML.",
      "Set `coverage` in gantry.service.yaml to such a report.",
    )
  }
  if (mapped.files > 0 && mapped.matched === 0) {
    throw unusable(
      name,
      `Not one of its ${mapped.files} files is among the sources (sonar.sources): the first is ${firstOf(text) ?? "unknown"}.`,
      "Set `sonar.sources` in gantry.service.yaml to the folders that the tests cover.",
    )
  }
  return mapped
}

function lcov(text: string, known: KnownFiles): MappedCoverage {
  const named = new Set<string>()
  const matched = new Set<string>()
  const lines = text.split(/\r?\n/).map((line) => {
    if (!line.startsWith("SF:")) return line
    const path = line.slice(3).trim()
    named.add(path)
    const file = known.locate(path)
    if (file === undefined) return line
    matched.add(path)
    return `SF:${file}`
  })
  return { format: "lcov", text: lines.join("\n"), files: named.size, matched: matched.size }
}

/** `<package name="com/shop"><sourcefile name="Order.java">` is com/shop/Order.java somewhere below the sources. */
function jacoco(text: string, known: KnownFiles): MappedCoverage {
  const files = [...text.matchAll(/<package name="([^"]*)"|<sourcefile name="([^"]*)"/g)]
  let folder = ""
  let count = 0
  let matched = 0
  for (const [, folderName, file] of files) {
    if (folderName !== undefined) folder = folderName
    if (file === undefined) continue
    count++
    if (known.endingIn(folder === "" ? file : `${folder}/${file}`) !== undefined) matched++
  }
  return { format: "jacoco", text, files: count, matched }
}

function firstOf(text: string): string | undefined {
  return /^SF:(.*)$/m.exec(text)?.[1] ?? /<sourcefile name="([^"]*)"/.exec(text)?.[1]
}

function unusable(name: string, reason: string, hint: string) {
  return fault({
    code: "SONAR-COVERAGE",
    kind: "usage",
    message: `SonarQube cannot use the coverage report ${name}`,
    reason,
    hint,
  })
}
