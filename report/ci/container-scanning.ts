import { createHash } from "node:crypto"
import { z } from "zod"
import type { StepRecord } from "../../core/record.js"
import { keptAs, type CiInput, type KeptText } from "./input.js"
import { parseJson } from "../../core/json.js"

/** Of Trivy's JSON (schema version 2; aquasecurity/trivy, pkg/types/report.go) what GitLab's report has a place for. */
const Vulnerability = z.object({
  VulnerabilityID: z.string().min(1),
  PkgName: z.string(),
  PkgPath: z.string().optional(),
  InstalledVersion: z.string().default(""),
  FixedVersion: z.string().optional(),
  Severity: z.string().default("UNKNOWN"),
  Title: z.string().optional(),
  Description: z.string().optional(),
  PrimaryURL: z.string().optional(),
  References: z.array(z.string()).nullish(),
})
const TrivyReport = z.object({
  ArtifactName: z.string().default("image"),
  Metadata: z.object({ OS: z.object({ Family: z.string(), Name: z.string().default("") }).optional() }).optional(),
  Trivy: z.object({ Version: z.string().min(1) }).optional(),
  Results: z.array(z.object({ Target: z.string(), Vulnerabilities: z.array(Vulnerability).nullish() })).nullish(),
})

/** Version of GitLab's schema that this is written against (gitlab-org/security-products/security-report-schemas). */
export const containerScanningVersion = "15.0.7"

/** GitLab's container scanning report of a job. Without a scan in the job it says so and lists nothing. */
export function jobContainerScanning(input: CiInput): object {
  const scans = keptAs(input, "trivy").flatMap((file) => {
    const parsed = TrivyReport.safeParse(parseJson(input.mask(file.text)))
    return parsed.success ? [{ file, report: parsed.data }] : []
  })
  const steps = scans.map((scan) => scan.file.step)
  const scanner = scans.find((scan) => scan.report.Trivy !== undefined)?.report.Trivy?.Version ?? "unknown"
  return {
    version: containerScanningVersion,
    scan: {
      analyzer: { id: "gantry", name: "Gantry", vendor: { name: "Gantry" }, version: input.version },
      scanner: { id: "trivy", name: "Trivy", vendor: { name: "Aqua Security" }, version: scanner },
      type: "container_scanning",
      start_time: moment(earliest(steps) ?? input.record.startedAt),
      end_time: moment(latest(steps) ?? input.record.finishedAt ?? input.record.startedAt),
      status: steps.some((step) => step.status === "errored") ? "failure" : "success",
      ...(scans.length > 0 ? {} : { messages: [{ level: "info", value: "No image was scanned in this job." }] }),
    },
    vulnerabilities: scans.flatMap(({ file, report }) =>
      (report.Results ?? []).flatMap(({ Target, Vulnerabilities }) =>
        (Vulnerabilities ?? []).map((v) => vulnerability(v, Target, report, imageOf(input, file, report))),
      ),
    ),
  }
}

type Report = z.infer<typeof TrivyReport>

function vulnerability(v: z.infer<typeof Vulnerability>, target: string, report: Report, image: string) {
  const os = report.Metadata?.OS
  const links = [...new Set([v.PrimaryURL, ...(v.References ?? [])])].filter((link) => isLink(link)).slice(0, 20)
  const fixed = v.FixedVersion === undefined || v.FixedVersion === "" ? undefined : v.FixedVersion
  return {
    // Without the image's tag or digest: the next image with the same problem has the same one.
    id: uuid([v.VulnerabilityID, v.PkgName, v.InstalledVersion, v.PkgPath ?? target, report.ArtifactName].join("\0")),
    name: (v.Title ?? `${v.VulnerabilityID} in ${v.PkgName}`).slice(0, 255),
    description: (v.Description ?? v.Title ?? v.VulnerabilityID).slice(0, 100_000),
    severity: severities[v.Severity.toUpperCase()] ?? "Unknown",
    solution: fixed === undefined ? "No fixed version is known." : `Update ${v.PkgName} to ${fixed}`.slice(0, 7000),
    identifiers: [
      {
        type: /^([a-z]+)-/i.exec(v.VulnerabilityID)?.[1]?.toLowerCase() ?? "trivy",
        name: v.VulnerabilityID,
        value: v.VulnerabilityID,
        ...(isLink(v.PrimaryURL) ? { url: v.PrimaryURL } : {}),
      },
    ],
    links: links.map((url) => ({ url })),
    location: {
      dependency: { package: { name: v.PkgName }, version: v.InstalledVersion },
      operating_system: os === undefined ? "Unknown" : `${os.Family} ${os.Name}`.trim() || "Unknown",
      image,
    },
  }
}

const severities: Readonly<Record<string, string>> = {
  CRITICAL: "Critical",
  HIGH: "High",
  MEDIUM: "Medium",
  LOW: "Low",
  INFO: "Info",
}

/** The image as people know it: where the job pushed it to, else what the scanner was told. */
function imageOf(input: CiInput, file: KeptText, report: Report): string {
  for (const step of input.steps) {
    if (step.service !== file.step.service) continue
    const pushed = step.reports.find((r) => r.kind === "image" && r.reference.includes("/"))
    if (pushed?.kind === "image") return pushed.reference
  }
  return report.ArtifactName || "image"
}

const isLink = (url: string | undefined): url is string => url !== undefined && /^https?:\/\/\S+$/.test(url)

/** "2026-11-25T21:45:39": GitLab's pattern has neither fractions nor a zone. */
const moment = (iso: string) => iso.slice(0, 19)
const earliest = (steps: readonly StepRecord[]) => steps.flatMap((s) => s.startedAt ?? []).sort()[0]
const latest = (steps: readonly StepRecord[]) =>
  steps
    .flatMap((s) => s.finishedAt ?? [])
    .sort()
    .at(-1)

/** A UUID that the same content always has (version 8, RFC 9562). */
function uuid(content: string): string {
  const hex = createHash("sha256").update(content).digest("hex")
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
