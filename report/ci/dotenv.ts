import type { CiInput } from "./input.js"

/**
 * Variables for later jobs and for `environment.url`: GANTRY_RUN, GANTRY_JOB, GANTRY_STATUS, and of the last deployment of
 * the job GANTRY_URL, GANTRY_DIGEST, GANTRY_ENVIRONMENT; GANTRY_IMAGE of the last image. GitLab's rules
 * (https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv): one NAME=value a line, no quotes, no comments,
 * no empty lines, at most 5 KB.
 */
export function jobDotenv({ record, job, steps }: Pick<CiInput, "record" | "job" | "steps">): string {
  const values: Record<string, string> = { GANTRY_RUN: record.id, GANTRY_JOB: job, GANTRY_STATUS: record.status }
  for (const report of steps.flatMap((s) => s.reports)) {
    if (report.kind === "image") {
      values["GANTRY_IMAGE"] = report.reference
      values["GANTRY_DIGEST"] = report.digest
    }
    if (report.kind === "deployment") {
      values["GANTRY_URL"] = report.url
      values["GANTRY_DIGEST"] = report.digest
      values["GANTRY_ENVIRONMENT"] = report.environment
    }
  }
  return Object.entries(values)
    .filter(([, value]) => /^[\x21-\x7e]{1,500}$/.test(value))
    .map(([name, value]) => `${name}=${value}\n`)
    .join("")
}
