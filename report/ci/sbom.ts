import { keptAs, type CiInput } from "./input.js"
import { parseJson } from "../../core/json.js"

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
    return bom?.["bomFormat"] === "CycloneDX" ? [readable(input.maskJson(bom, fixed))] : []
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

/** What 1.7 has and 1.6 has not (https://github.com/CycloneDX/specification/releases/tag/1.7). */
const newer = new Set([
  "citations",
  "distributionConstraints",
  "expressionDetails",
  "isExternal",
  "patentAssertions",
  "versionRange",
])

/** A later version as 1.6, the latest that GitLab is known to read: Trivy writes 1.7 without using what is new in it. */
function readable(bom: Json): Json {
  const minor = /^1\.(\d+)$/.exec(String(bom["specVersion"]))?.[1]
  if (minor === undefined || Number(minor) <= 6) return bom
  const $schema = "http://cyclonedx.org/schema/bom-1.6.schema.json"
  return { ...(without(bom, newer) as Json), ...("$schema" in bom ? { $schema } : {}), specVersion: "1.6" }
}

function without(value: unknown, names: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => without(item, names))
  if (typeof value !== "object" || value === null) return value
  const kept = Object.entries(value).filter(([name]) => !names.has(name))
  return Object.fromEntries(kept.map(([name, member]) => [name, without(member, names)]))
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
  const json = parseJson(text)
  return typeof json === "object" && json !== null && !Array.isArray(json) ? (json as Json) : undefined
}
