import { z } from "zod"
import type { SonarSession } from "./session.js"

const Found = z.object({ components: z.array(z.object({ key: z.string() })) })

/** Whether there is a project of this key that the session's user may see. */
export async function hasProject(session: SonarSession, key: string): Promise<boolean> {
  const { components } = await session.read("api/components/search", Found, {
    params: { qualifiers: "TRK", q: key, ps: "100" },
    to: `look up the project ${key}`,
  })
  return components.some((component) => component.key === key)
}

/**
 * Creates the project unless it exists, also when another run creates it at the same moment.
 * @throws SONAR-FORBIDDEN, SONAR-REFUSED
 */
export async function ensureProject(session: SonarSession, key: string, name: string): Promise<"created" | "existed"> {
  if (await hasProject(session, key)) return "existed"
  const call = { method: "POST", params: { project: key, name }, to: `create the project ${key}` } as const
  const refusal = await session.attempt("api/projects/create", call)
  if (refusal === undefined) return "created"
  if (await hasProject(session, key)) return "existed"
  await session.send("api/projects/create", call)
  return "created"
}

const Measures = z.object({
  component: z.object({ measures: z.array(z.object({ metric: z.string(), value: z.string().optional() })) }),
})

/** Values of metrics of a project's last analysis; a metric without one (no coverage report) is left out. */
export async function measures(
  session: SonarSession,
  key: string,
  metrics: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const { component } = await session.read("api/measures/component", Measures, {
    params: { component: key, metricKeys: metrics.join(",") },
    to: `ask for measures of ${key}`,
  })
  return Object.fromEntries(component.measures.flatMap((m) => (m.value === undefined ? [] : [[m.metric, m.value]])))
}

const Issue = z.object({
  rule: z.string(),
  component: z.string(),
  line: z.number().optional(),
  message: z.string(),
  type: z.string().optional(),
  severity: z.string().optional(),
  impacts: z.array(z.object({ softwareQuality: z.string(), severity: z.string() })).default([]),
})
export type SonarIssue = z.infer<typeof Issue>
const Issues = z.object({ total: z.number(), issues: z.array(Issue) })

/** Open issues of a project, the newest of the worst first. `total` may be more than the page of 500 that is answered. */
export function openIssues(
  session: SonarSession,
  key: string,
  options: { readonly onlyNew?: boolean } = {},
): Promise<{ readonly total: number; readonly issues: readonly SonarIssue[] }> {
  return session.read("api/issues/search", Issues, {
    params: {
      components: key,
      resolved: "false",
      ps: "500",
      s: "SEVERITY",
      asc: "false",
      ...(options.onlyNew === true ? { inNewCodePeriod: "true" } : {}),
    },
    to: `list the issues of ${key}`,
  })
}
