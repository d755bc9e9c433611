import { z } from "zod"
import { isCompromisedTrivy, trivyReference } from "../../engine/trivy-version.js"
import type { Exception } from "./exceptions.js"

/** Trivy's severities, the worst first (aquasecurity/trivy-db, pkg/types). */
export const severities = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "UNKNOWN"] as const
export const Severity = z.enum(severities)
export type Severity = z.infer<typeof Severity>

/** What a scan has to satisfy: `scan` in gantry.config.ts. */
export const scanPolicy = z.strictObject({
  /** Trivy's image, by its public name. The malicious releases 0.69.4–0.69.6 are refused. */
  image: z
    .string()
    .min(1)
    .refine((reference) => !isCompromisedTrivy(reference), "this release of Trivy carried malicious code: use another")
    .default(trivyReference),
  /** What is looked for. */
  scanners: z
    .array(z.enum(["vuln", "secret", "misconfig"]))
    .min(1)
    .default(["vuln", "secret", "misconfig"]),
  /** Severities that block the image. An empty list only reports. */
  block: z.array(Severity).default(["CRITICAL", "HIGH"]),
  /** A vulnerability for which no fixed version exists is reported, and does not block. */
  ignoreUnfixed: z.boolean().default(true),
  /** YAML file with the accepted findings, relative to the project; it need not exist. */
  exceptionsFile: z.string().min(1).default("gantry.exceptions.yaml"),
  /** Days before its expiry from which an exception is warned about. */
  exceptionWarnDays: z.number().int().nonnegative().default(14),
  database: z
    .strictObject({
      /** Age in days past which the scan says so. */
      warnDays: z.number().positive().default(3),
      /** Age in days past which it is errored: a scan that knows nothing of the last weeks proves little. */
      failDays: z.number().positive().default(14),
      /** Whether the dated subset of advisories will do, which Trivy's image has where it was made from packages. */
      subset: z.enum(["allow", "refuse"]).default("allow"),
    })
    .default({ warnDays: 3, failDays: 14, subset: "allow" }),
})
export type ScanPolicy = z.output<typeof scanPolicy>
/** What a person writes. */
export type ScanPolicyInput = z.input<typeof scanPolicy>

/** One thing that the scanner found, whatever it is. */
export interface Finding {
  readonly class: "vulnerability" | "secret" | "misconfiguration"
  /** CVE number, secret rule or check id. */
  readonly id: string
  /** Other names of the same thing (GHSA numbers …); an exception may use any of them. */
  readonly aliases: readonly string[]
  readonly severity: Severity
  readonly title: string
  /** Where: "usr/lib/app/package-lock.json: lodash 4.17.15". */
  readonly location: string
  /** Name of the vulnerable package. */
  readonly package?: string
  /** The version that repairs it; absent: there is none yet. */
  readonly fixed?: string
  readonly url?: string
}

/** A finding and what the policy makes of it. */
export interface Judged extends Finding {
  readonly blocking: boolean
  /** Why it does not block, or why an exception no longer helps. */
  readonly note?: string
}

export interface Verdict {
  /** The worst first, blocking ones before others of their severity. */
  readonly findings: readonly Judged[]
  readonly blocking: readonly Judged[]
  /** Findings by severity; every severity is there. */
  readonly counts: Readonly<Record<Severity, number>>
  /** Findings that would block and have a valid exception. */
  readonly excused: number
  /** About exceptions: expired, about to expire, not needed. */
  readonly warnings: readonly string[]
}

/**
 * Judges what was found. Pure: `now` decides about expiry; an exception holds through the day it names (UTC).
 * An expired exception helps nothing any more: its finding blocks and says so.
 */
export function evaluate(
  findings: readonly Finding[],
  exceptions: readonly Exception[],
  policy: ScanPolicy,
  service: string,
  now: Date,
): Verdict {
  const own = exceptions.filter((e) => e.service === undefined || e.service === service)
  const used = new Set<Exception>()
  const judged = findings.map((finding) => judge(finding, own, policy, now, used))
  judged.sort(
    (a, b) =>
      severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
      Number(b.blocking) - Number(a.blocking) ||
      (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  )
  const counts = Object.fromEntries(
    severities.map((severity) => [severity, judged.filter((f) => f.severity === severity).length]),
  ) as Record<Severity, number>
  return {
    findings: judged,
    blocking: judged.filter((f) => f.blocking),
    counts,
    excused: judged.filter((f) => !f.blocking && f.note !== undefined && f.note.startsWith("accepted")).length,
    warnings: own.flatMap((e) => warningAbout(e, used.has(e), policy, now)),
  }
}

function judge(
  finding: Finding,
  exceptions: readonly Exception[],
  policy: ScanPolicy,
  now: Date,
  used: Set<Exception>,
): Judged {
  if (!policy.block.includes(finding.severity)) return { ...finding, blocking: false }
  const matching = exceptions.filter((e) => matches(e, finding))
  for (const exception of matching) used.add(exception)
  if (finding.class === "vulnerability" && finding.fixed === undefined && policy.ignoreUnfixed) {
    return { ...finding, blocking: false, note: "no fixed version exists yet" }
  }
  const valid = matching.find((e) => daysLeft(e, now) >= 0)
  if (valid !== undefined) {
    return {
      ...finding,
      blocking: false,
      note: `accepted by ${valid.owner} until ${valid.expires}: ${valid.reason}`,
    }
  }
  const expired = matching[0]
  if (expired !== undefined) {
    return { ...finding, blocking: true, note: `the exception of ${expired.owner} expired on ${expired.expires}` }
  }
  return { ...finding, blocking: true }
}

function matches(exception: Exception, finding: Finding): boolean {
  return (
    (exception.id === finding.id || finding.aliases.includes(exception.id)) &&
    (exception.package === undefined || exception.package === finding.package)
  )
}

/** Whole days that an exception still holds after today; negative when it has expired. */
function daysLeft(exception: Exception, now: Date): number {
  const today = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate())
  return Math.round((Date.parse(`${exception.expires}T00:00:00Z`) - today) / 86_400_000)
}

function warningAbout(exception: Exception, used: boolean, policy: ScanPolicy, now: Date): readonly string[] {
  const left = daysLeft(exception, now)
  const who = `exception ${exception.id} (${exception.owner})`
  if (!used) return [`${who} matches nothing in this image: remove it${left < 0 ? "; it has expired anyway" : ""}`]
  if (left < 0) return [`${who} expired on ${exception.expires}`]
  if (left <= policy.exceptionWarnDays) {
    return [
      `${who} expires ${left === 0 ? "today" : `in ${left} day${left === 1 ? "" : "s"}`}, on ${exception.expires}`,
    ]
  }
  return []
}
