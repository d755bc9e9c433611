import { z } from "zod"
import { fault, type Fault } from "../../core/errors.js"
import { Severity, type Finding } from "./policy.js"

/** Trivy's JSON report, as far as it is judged here. Schema version 2 (aquasecurity/trivy, pkg/types/report.go). */
const severity = Severity.catch("UNKNOWN")
const Vulnerability = z.object({
  VulnerabilityID: z.string(),
  VendorIDs: z.array(z.string()).nullish(),
  PkgName: z.string(),
  PkgPath: z.string().optional(),
  InstalledVersion: z.string().default(""),
  FixedVersion: z.string().optional(),
  Severity: severity,
  Title: z.string().optional(),
  PrimaryURL: z.string().optional(),
})
const Secret = z.object({ RuleID: z.string(), Severity: severity, Title: z.string(), StartLine: z.number().optional() })
const Misconfiguration = z.object({
  ID: z.string(),
  AVDID: z.string().optional(),
  Title: z.string(),
  Message: z.string().optional(),
  Resolution: z.string().optional(),
  Severity: severity,
  Status: z.string().default("FAIL"),
  PrimaryURL: z.string().optional(),
})
const Result = z.object({
  Target: z.string(),
  Vulnerabilities: z.array(Vulnerability).nullish(),
  Secrets: z.array(Secret).nullish(),
  Misconfigurations: z.array(Misconfiguration).nullish(),
})
const TrivyReport = z.object({
  SchemaVersion: z.literal(2),
  Trivy: z.object({ Version: z.string() }).optional(),
  ArtifactType: z.string(),
  Results: z.array(Result).nullish(),
})

export interface ParsedReport {
  /** Version of Trivy that wrote it, where it says so. */
  readonly version: string | undefined
  readonly findings: readonly Finding[]
}

/**
 * Reads Trivy's JSON. The same vulnerability of the same package at several places is one finding per place.
 * @throws TRIVY-REPORT (errored: what cannot be read has not been scanned)
 */
export function parseReport(text: string): ParsedReport {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw unreadable(`It is not JSON: ${text.trim().slice(0, 120)}`, cause)
  }
  const parsed = TrivyReport.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw unreadable(`${issue?.path.join(".") || "the whole"}: ${issue?.message ?? "not as expected"}`)
  }
  const findings = (parsed.data.Results ?? []).flatMap((result) => [
    ...(result.Vulnerabilities ?? []).map((v) => vulnerability(result.Target, v)),
    ...(result.Secrets ?? []).map((s) => secret(result.Target, s)),
    ...(result.Misconfigurations ?? [])
      .filter((m) => m.Status === "FAIL")
      .map((m) => misconfiguration(result.Target, m)),
  ])
  return { version: parsed.data.Trivy?.Version, findings }
}

function vulnerability(target: string, v: z.infer<typeof Vulnerability>): Finding {
  const fixed = v.FixedVersion === undefined || v.FixedVersion === "" ? undefined : v.FixedVersion
  return {
    class: "vulnerability",
    id: v.VulnerabilityID,
    aliases: v.VendorIDs ?? [],
    severity: v.Severity,
    title: v.Title ?? v.VulnerabilityID,
    location: `${v.PkgName} ${v.InstalledVersion} in ${v.PkgPath ?? target}`,
    package: v.PkgName,
    ...(fixed === undefined ? {} : { fixed }),
    ...(v.PrimaryURL === undefined ? {} : { url: v.PrimaryURL }),
  }
}

function secret(target: string, s: z.infer<typeof Secret>): Finding {
  return {
    class: "secret",
    id: s.RuleID,
    aliases: [],
    severity: s.Severity,
    title: s.Title,
    location: s.StartLine === undefined ? target : `${target}:${s.StartLine}`,
  }
}

function misconfiguration(target: string, m: z.infer<typeof Misconfiguration>): Finding {
  return {
    class: "misconfiguration",
    id: m.ID,
    aliases: m.AVDID === undefined ? [] : [m.AVDID],
    severity: m.Severity,
    title: m.Message === undefined || m.Message === "" ? m.Title : `${m.Title}: ${m.Message}`,
    location: target,
    ...(m.PrimaryURL === undefined ? {} : { url: m.PrimaryURL }),
  }
}

function unreadable(reason: string, cause?: unknown): Fault {
  return fault({
    code: "TRIVY-REPORT",
    kind: "errored",
    message: "Trivy's report cannot be read: the image counts as not scanned",
    reason,
    hint: "`gantry resume` tries again. If it stays: another version of Trivy may be behind a mirror.",
    cause,
  })
}
