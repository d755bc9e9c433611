import { z } from "zod"
import { fault } from "../../core/errors.js"
import type { ScanPolicy } from "./policy.js"

/** What the scan's knowledge about vulnerabilities is. */
export interface Database {
  /** When it was made. */
  readonly updatedAt: Date
  /** Absent: the full database. Else how many well-known advisories it is made of. */
  readonly subset?: { readonly advisories: number }
}

const Metadata = z.object({ Version: z.number(), UpdatedAt: z.coerce.date() })
const Subset = z.object({ date: z.coerce.date(), advisories: z.number().int().positive() })

/** metadata.json beside Trivy's database. @throws TRIVY-DB */
export function parseMetadata(text: string): Database {
  return { updatedAt: parse(text, Metadata, "metadata.json").UpdatedAt }
}

/** subset.json beside the database that Trivy's image has where it was made from packages. @throws TRIVY-DB */
export function parseSubset(text: string): Database {
  const { date, advisories } = parse(text, Subset, "subset.json")
  return { updatedAt: date, subset: { advisories } }
}

function parse<T>(text: string, schema: z.ZodType<T>, name: string): T {
  try {
    return schema.parse(JSON.parse(text))
  } catch (cause) {
    throw fault({
      code: "TRIVY-DB",
      kind: "errored",
      message: "Trivy's vulnerability database cannot be used",
      reason: `${name} beside it is not what Trivy writes: ${text.trim().slice(0, 120)}`,
      hint: "`gantry resume` fetches it again.",
      cause,
    })
  }
}

export interface DatabaseVerdict {
  /** For people: "vulnerability database of 2026-11-20 (3 days old)". */
  readonly basis: string
  /** Said aloud; the scan goes on. */
  readonly warning?: string
}

/**
 * Whether the database may be relied on. Pure.
 * @throws TRIVY-DB-STALE older than the policy allows · TRIVY-DB-SUBSET only a subset, and the policy refuses that
 */
export function judgeDatabase(database: Database, policy: ScanPolicy["database"], now: Date): DatabaseVerdict {
  const day = database.updatedAt.toISOString().slice(0, 10)
  if (database.subset !== undefined) {
    const what = `a subset of ${database.subset.advisories} well-known advisories, last looked through on ${day}`
    if (policy.subset === "refuse") {
      throw fault({
        code: "TRIVY-DB-SUBSET",
        kind: "errored",
        message: "There is no full vulnerability database, and the policy refuses the subset",
        reason: `Trivy was made from packages and has ${what}.`,
        hint: 'Name a registry that has it: trivy: { dbRepositories: ["harbor.example/trivy/trivy-db:2"] } in the engine\'s part of gantry.config.ts.',
      })
    }
    return {
      basis: `${what}; not the full vulnerability database`,
      warning: `the scan knows only ${what}: name a registry that has Trivy's database (trivy.dbRepositories) to find the rest`,
    }
  }
  const age = Math.max(0, Math.floor((now.getTime() - database.updatedAt.getTime()) / 86_400_000))
  const basis = `vulnerability database of ${day} (${age === 0 ? "less than a day" : `${age} day${age === 1 ? "" : "s"}`} old)`
  if (age > policy.failDays) {
    throw fault({
      code: "TRIVY-DB-STALE",
      kind: "errored",
      message: `Trivy's vulnerability database is ${age} days old: the image counts as not scanned`,
      reason: `It was made on ${day}; the policy allows ${policy.failDays} days (scan.database.failDays).`,
      hint: "Refresh the mirror that trivy.dbRepositories names, then `gantry resume` the run.",
    })
  }
  return age > policy.warnDays
    ? { basis, warning: `the ${basis}, more than the ${policy.warnDays} days of scan.database.warnDays` }
    : { basis }
}
