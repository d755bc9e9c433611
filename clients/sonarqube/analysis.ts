import { setTimeout as sleep } from "node:timers/promises"
import { z } from "zod"
import { fault } from "../../core/errors.js"
import type { SonarSession } from "./session.js"

const Task = z.object({
  task: z.object({
    id: z.string(),
    status: z.enum(["PENDING", "IN_PROGRESS", "SUCCESS", "FAILED", "CANCELED"]),
    analysisId: z.string().optional(),
    errorMessage: z.string().optional(),
    warnings: z.array(z.string()).default([]),
    executionTimeMs: z.number().optional(),
  }),
})
export type ComputeTask = z.infer<typeof Task>["task"]

/** The server's own work on an analysis that the scanner sent. */
export async function computeTask(session: SonarSession, id: string): Promise<ComputeTask> {
  return (
    await session.read("api/ce/task", Task, {
      params: { id, additionalFields: "warnings" },
      to: "ask for the compute task",
    })
  ).task
}

/**
 * Waits until the server has worked through an analysis, and answers it with its id. Its failure says nothing about the
 * code, so it is errored, never failed.
 * @throws SONAR-TASK (failed or cancelled on the server), SONAR-TASK-TIMEOUT
 */
export async function waitForTask(
  session: SonarSession,
  id: string,
  options: {
    /** Milliseconds in all. */
    readonly timeout: number
    /** Milliseconds between two questions. Default 500. */
    readonly interval?: number
    onProgress?(status: ComputeTask["status"], seconds: number): void
  },
): Promise<ComputeTask & { readonly analysisId: string }> {
  const started = Date.now()
  for (;;) {
    const task = await computeTask(session, id)
    if (task.status === "SUCCESS" && task.analysisId !== undefined) return { ...task, analysisId: task.analysisId }
    if (task.status === "FAILED" || task.status === "CANCELED" || task.status === "SUCCESS") {
      throw fault({
        code: "SONAR-TASK",
        kind: "errored",
        message: `SonarQube's compute task ${task.status === "SUCCESS" ? "has no analysis" : `was ${task.status.toLowerCase()}`}`,
        reason: task.errorMessage ?? `task ${id}`,
        hint: `Look at ${session.url}/project/background_tasks, then \`gantry resume\` the run. The code has not been judged.`,
      })
    }
    const waited = Date.now() - started
    options.onProgress?.(task.status, Math.round(waited / 1000))
    if (waited > options.timeout) {
      throw fault({
        code: "SONAR-TASK-TIMEOUT",
        kind: "errored",
        message: `SonarQube has not worked through the analysis in ${Math.round(options.timeout / 1000)} s`,
        reason: `Task ${id} is still ${task.status}.`,
        hint: `Look at ${session.url}/admin/background_tasks: other analyses may be before it. Then \`gantry resume\` the run.`,
      })
    }
    await sleep(options.interval ?? 500, undefined, session.signal === undefined ? {} : { signal: session.signal })
  }
}

const Condition = z.object({
  status: z.enum(["OK", "WARN", "ERROR", "NONE", "NO_VALUE"]),
  metricKey: z.string(),
  comparator: z.string().optional(),
  errorThreshold: z.string().optional(),
  actualValue: z.string().optional(),
})
const ProjectStatus = z.object({
  projectStatus: z.object({
    status: z.enum(["OK", "WARN", "ERROR", "NONE"]),
    conditions: z.array(Condition).default([]),
    /** True: few lines changed, so conditions on coverage and duplication of new code were left out. */
    ignoredConditions: z.boolean().default(false),
  }),
})
export type GateStatus = z.infer<typeof ProjectStatus>["projectStatus"]
export type GateCondition = z.infer<typeof Condition>

/** What the quality gate said about one analysis. By the analysis, never by the project: another one may have come since. */
export async function gateStatus(session: SonarSession, analysisId: string): Promise<GateStatus> {
  return (
    await session.read("api/qualitygates/project_status", ProjectStatus, {
      params: { analysisId },
      to: "ask for the quality gate",
    })
  ).projectStatus
}
