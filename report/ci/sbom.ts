import { keptAs, type CiInput } from "./input.js"

type Json = { readonly [name: string]: unknown }

/** Members whose words the format fixes: masking one of those would make the file unreadable. */
const fixed = new Set([
  "$schema",
  "bomFormat",
  "specVersion",
  "type",
  "alg",
  "scope",
  "serialNumber",
  "timestamp",
  "version",
])

/**
 * The bill of materials of a job, CycloneDX JSON (https://cyclonedx.org/docs/1.6/json/): what its steps kept; of several one
 * that holds the components of all. GitLab reads 1.4 to 1.6 (gitlab-org/gitlab, issue 472837). Without any: an empty one.
 */
export function jobSbom(input: CiInput & { readonly maskJson: <T>(value: T, keep: ReadonlySet<string>) => T }): object {
  const boms = keptAs(input, "sbom").flatMap((file) => {
    const bom = parse(file.text)
    return bom?.["bomFormat"] === "CycloneDX" ? [input.maskJson(bom, fixed)] : []
  })
  const [first, ...others] = boms
  if (first === undefined) {
    return {
      bomFormat: "CycloneDX",
      specVersion: "1.5",
      version: 1,
      metadata: {
        timestamp: input.record.startedAt,
        tools: [{ vendor: "Gantry", name: "gantry", version: input.version }],
      },
      components: [],
    }
  }
  if (others.length === 0) return first
  return {
    ...first,
    components: unique(
      boms.flatMap((bom) => list(bom["components"])),
      "bom-ref",
    ),
    dependencies: unique(
      boms.flatMap((bom) => list(bom["dependencies"])),
      "ref",
    ),
    vulnerabilities: unique(
      boms.flatMap((bom) => list(bom["vulnerabilities"])),
      "bom-ref",
    ),
  }
}

function unique(items: readonly Json[], key: string): readonly Json[] {
  const seen = new Set<unknown>()
  return items.filter((item) => {
    const id = item[key]
    if (id === undefined) return true
    if (seen.has(id)) return false
    seen.add(id)
    return true
  })
}

const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? (value as Json[]) : [])

function parse(text: string): Json | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === "object" && json !== null && !Array.isArray(json) ? (json as Json) : undefined
  } catch {
    return undefined
  }
}
