import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { fault } from "../../core/errors.js"
import type { FindingsReport } from "../../core/reports.js"
import type { Context } from "../../core/step.js"
import { isCompromisedTrivy } from "../../engine/trivy-version.js"
import type { BuiltImage, Scan } from "../outputs.js"
import type { Trivy } from "./container.js"
import { judgeDatabase, type DatabaseVerdict } from "./database.js"
import type { Exception } from "./exceptions.js"
import { evaluate, type Judged, type ScanPolicy, type Verdict } from "./policy.js"
import { parseReport } from "./report.js"

export type ScanContext = Pick<Context<Record<never, never>, never>, "artifacts" | "log" | "publish" | "scratch">

export interface ScanInput {
  readonly service: string
  readonly image: BuiltImage
  readonly policy: ScanPolicy
  readonly exceptions: readonly Exception[]
  readonly now: Date
}

/** Enough for a report that people read; the JSON has them all. */
const shown = 300

/**
 * Scans an image and judges what was found. The reports are kept and published before the verdict, so that they are there
 * when it is red. What goes wrong with the scanner or its database is errored; only findings make it fail.
 * @throws TRIVY-POLICY (failed) · TRIVY-DB-STALE, TRIVY-DB-SUBSET, TRIVY-DIGEST, TRIVY-REPORT, TRIVY-COMPROMISED and Trivy's own
 */
export async function scanImage(context: ScanContext, trivy: Trivy, input: ScanInput): Promise<Scan> {
  const { service, image, policy } = input
  const database = await trivy.database()
  const judged = judgeDatabase(database, policy.database, input.now)
  context.log.info(`knows: ${judged.basis}`)
  if (judged.warning !== undefined) context.log.warn(judged.warning)

  const files = await trivy.scan(await context.artifacts.open(image.archive), join(context.scratch, "trivy"), database)
  if (!files.digests.includes(image.digest)) throw otherImage(image.digest, files.digests)
  const { version, findings } = parseReport(await readFile(files.json, "utf8"))
  if (version !== undefined && isCompromisedTrivy(version)) throw compromised(version)

  const reports = {
    json: await context.artifacts.put("trivy.json", { file: files.json }),
    sarif: await context.artifacts.put("trivy.sarif", { file: files.sarif }),
    table: await context.artifacts.put("trivy.txt", { file: files.table }),
    sbom: await context.artifacts.put("sbom.cdx.json", { file: files.sbom }),
  }
  const verdict = evaluate(findings, input.exceptions, policy, service, input.now)
  context.publish(toReport(verdict, judged))
  for (const warning of verdict.warnings) context.log.warn(warning)
  context.log.info(summary(verdict))
  if (verdict.blocking.length > 0) throw refused(service, verdict, policy)
  return {
    digest: image.digest,
    counts: verdict.counts,
    exceptions: verdict.excused,
    databaseUpdatedAt: database.updatedAt.toISOString(),
    ...(database.subset === undefined ? {} : { databaseNote: judged.basis }),
    reports,
  }
}

function toReport(verdict: Verdict, database: DatabaseVerdict): FindingsReport {
  // Blocking ones first: they must not fall off the end of a long list.
  const ordered = [...verdict.blocking, ...verdict.findings.filter((finding) => !finding.blocking)]
  return {
    kind: "findings",
    tool: "Trivy",
    basis: database.basis,
    counts: verdict.counts,
    items: ordered.slice(0, shown).map((finding) => ({
      id: finding.id,
      severity: finding.severity,
      title: finding.title,
      location: finding.location,
      ...(finding.fixed === undefined ? {} : { fix: finding.fixed }),
      blocking: finding.blocking,
      ...(finding.note === undefined ? {} : { exception: finding.note }),
    })),
  }
}

function summary(verdict: Verdict): string {
  const counts = Object.entries(verdict.counts)
    .filter(([, count]) => count > 0)
    .map(([severity, count]) => `${count} ${severity.toLowerCase()}`)
  const excused = verdict.excused === 0 ? "" : `, ${verdict.excused} accepted by exceptions`
  return `${counts.length === 0 ? "nothing found" : counts.join(", ")}; ${verdict.blocking.length} blocking${excused}`
}

const line = (finding: Judged): string =>
  `${finding.severity} ${finding.id} ${finding.location}${finding.fixed === undefined ? "" : ` → ${finding.fixed}`}: ${finding.title}${
    finding.note === undefined ? "" : ` (${finding.note})`
  }`

function refused(service: string, verdict: Verdict, policy: ScanPolicy) {
  const { blocking } = verdict
  const first = blocking[0]
  const more = blocking.length > 10 ? [`… and ${blocking.length - 10} more`] : []
  const fixes = [
    ...new Set(blocking.flatMap((f) => (f.fixed === undefined ? [] : [`${f.package ?? f.id} to ${f.fixed}`]))),
  ]
  return fault({
    code: "TRIVY-POLICY",
    kind: "failed",
    message: `${blocking.length} finding${blocking.length === 1 ? "" : "s"} in ${service}'s image ${
      blocking.length === 1 ? "breaks" : "break"
    } the scan policy${first === undefined ? "" : `: ${first.id} (${first.severity.toLowerCase()}) in ${first.location}`}`,
    reason: [...blocking.slice(0, 10).map(line), ...more].join("\n"),
    hint: `${fixes.length === 0 ? "Repair it" : `Update ${fixes.slice(0, 5).join(", ")}`}, or accept it for a while in ${policy.exceptionsFile}: id, owner, reason, expires.`,
  })
}

function otherImage(expected: string, found: readonly string[]) {
  return fault({
    code: "TRIVY-DIGEST",
    kind: "errored",
    message: "The archive that was scanned is not of the image that is delivered",
    reason: `Expected ${expected}, it names ${found.join(", ") || "none"}.`,
    hint: "Run the image build again: gantry run delivery",
  })
}

function compromised(version: string) {
  return fault({
    code: "TRIVY-COMPROMISED",
    kind: "errored",
    message: `Trivy ${version} was a malicious release: nothing that it says counts`,
    reason: "Advisory GHSA-69fq-xp46-6x23. A mirror answers with it for the version that was asked for.",
    hint: "Remove it from the mirror, and replace every secret that the machine which ran it could read.",
  })
}
