import type { Report } from "../../../../core/reports.js"
import type { JobSummary } from "../../../../report/ci/summary.js"

type Step = JobSummary["steps"][number]

export const step = (id: string, reports: Report[] = [], more: Partial<Step> = {}): Step => ({
  id,
  kind: "pure",
  status: "success",
  cached: false,
  attempts: 1,
  service: "catalog",
  startedAt: "2026-11-25T10:00:00.000Z",
  finishedAt: "2026-11-25T10:01:00.000Z",
  reports,
  ...more,
})

export const summary = (steps: Step[], more: Partial<JobSummary> = {}): JobSummary => ({
  schema: 1,
  run: "gitlab-77",
  pipeline: "delivery",
  job: "feedback",
  commit: "c".repeat(40),
  services: ["catalog"],
  status: "success",
  startedAt: "2026-11-25T10:00:00.000Z",
  finishedAt: "2026-11-25T10:01:00.000Z",
  steps,
  ...more,
})

export const tests = (failures: { name: string; message: string }[] = [], total = 41): Report => ({
  kind: "tests",
  suite: "catalog.unit-tests",
  total,
  passed: total - failures.length,
  failed: failures.length,
  skipped: 0,
  seconds: 3,
  failures,
  coverage: 87.25,
})
export const findings = (ids: readonly string[], blocking = false): Report => ({
  kind: "findings",
  tool: "Trivy",
  counts: { HIGH: ids.length },
  items: ids.map((id) => ({
    id,
    severity: "HIGH",
    title: id,
    location: "lodash 4.17.15 in app",
    fix: "4.17.21",
    blocking,
  })),
})
export const image = (size: number): Report => ({
  kind: "image",
  reference: "r/catalog",
  digest: `sha256:${"1".repeat(64)}`,
  size,
})
export const deployment = (environment: string, url = "http://127.0.0.1:18080"): Report => ({
  kind: "deployment",
  environment,
  service: "catalog",
  digest: `sha256:${"1".repeat(64)}`,
  url,
  replicas: 2,
  configHash: "c0",
  unchanged: false,
})
export const quality = (status: "passed" | "failed"): Report => ({
  kind: "quality-gate",
  status,
  url: "https://sonar.example/x",
  conditions: [],
})
