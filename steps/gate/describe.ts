import { z } from "zod"
import type { Evidence } from "../../approvals/index.js"
import { noWayBack } from "./evidence.js"

/** The part of the evidence that people are shown; what does not fit is left out, never guessed. */
const Shown = z.object({
  rollout: z
    .object({
      kubernetes: z
        .object({
          namespace: z.string(),
          context: z.string().optional(),
          dependencies: z.record(z.string(), z.unknown()).default({}),
        })
        .optional(),
    })
    .nullish(),
  services: z.array(
    z.object({
      service: z.string(),
      digest: z.string(),
      scan: z.object({ counts: z.record(z.string(), z.number()), exceptions: z.number() }).nullable(),
      quality: z.object({ status: z.string() }).nullable(),
      tests: z.array(z.object({ suite: z.string(), total: z.number(), failed: z.number() })),
      migration: z.object({ run: z.string(), compatible: z.boolean() }).nullish(),
      deployments: z.array(z.object({ environment: z.string() })),
    }),
  ),
})

/** What one decides about, a line each: for the one who is about to decide. */
export function describeEvidence(evidence: Evidence): readonly string[] {
  const { services, rollout } = Shown.catch({ services: [] }).parse(evidence)
  const needed = Object.keys(rollout?.kubernetes?.dependencies ?? {})
  const authors = evidence.authors.map((a) => `${a.name} <${a.email}>`).join(", ")
  return [
    `To ${evidence.environment}${placeOf(rollout?.kubernetes)}: commit ${evidence.commit.slice(0, 12)} of ${authors}`,
    ...(needed.length === 0 ? [] : [`before them: ${needed.join(", ")}, as this commit declares them`]),
    ...services.flatMap((s) => {
      const failed = s.tests.reduce((sum, t) => sum + t.failed, 0)
      const total = s.tests.reduce((sum, t) => sum + t.total, 0)
      const findings = Object.entries(s.scan?.counts ?? {}).filter(([, n]) => n > 0)
      const summary = [
        `${s.service} ${s.digest.slice(0, 19)}`,
        total === 0 ? "no tests" : `${total} tests, ${failed} failed`,
        s.quality === null ? "no quality gate" : `quality gate ${s.quality.status}`,
        s.scan === null
          ? "not scanned"
          : findings.length === 0
            ? "no findings"
            : findings.map(([severity, n]) => `${n} ${severity}`).join(" "),
        ...(s.scan === null || s.scan.exceptions === 0 ? [] : [`${s.scan.exceptions} accepted by exception`]),
        ...(s.migration?.compatible === true ? ["migrates its database, backwards compatible"] : []),
        `runs in ${s.deployments.map((d) => d.environment).join(", ") || "no environment yet"}`,
      ].join(" · ")
      return s.migration?.compatible === false
        ? [summary, `${noWayBack} for ${s.service}: its migration is not backwards compatible`]
        : [summary]
    }),
  ]
}

/** Where that is, if not on the local Docker Engine. */
function placeOf(cluster: { readonly namespace: string; readonly context?: string | undefined } | undefined): string {
  if (cluster === undefined) return ""
  const { namespace, context } = cluster
  return ` (namespace ${namespace}${context === undefined ? "" : ` of context ${context}`})`
}
