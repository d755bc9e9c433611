import { z } from "zod"
import type { GateAt, HostDecision } from "../host.js"
import type { Place } from "../place.js"
import { asked } from "../send.js"
import { Deployment, Job } from "./answers.js"
import type { GitLabApi } from "./api.js"

/** Jobs that nobody has started yet have somebody as `user`, too: whoever pushed. */
const started = (job: z.infer<typeof Job>) => typeof job.started_at === "string" && job.user != null

/** Who played the gate's job of a pipeline, each time; and who approved or rejected its deployment. */
export function decisions(at: Place, api: GitLabApi, gate: GateAt): Promise<readonly HostDecision[]> {
  return asked(at, "who played the gate", async () => {
    const gitlab = await api.full("who played the gate")
    const pipelineId = Number(gate.pipeline)
    const jobs = z
      .array(Job)
      .parse(await gitlab.Jobs.all(at.project, { pipelineId, includeRetried: true, perPage: 100 }))
      .filter((job) => job.name === gate.gate && job.pipeline.id === pipelineId)
    const plays = jobs.filter(started).map((job) => play(job))
    return [...plays, ...(await approvals(at, api, gate, jobs))]
  })
}

function play(job: z.infer<typeof Job>): HostDecision {
  return {
    how: "play",
    user: job.user?.username ?? "",
    id: String(job.id),
    decision: undefined,
    commit: job.commit?.id ?? job.pipeline.sha ?? "",
    from: job.started_at ?? undefined,
    until: job.finished_at ?? undefined,
    url: job.web_url,
  }
}

/**
 * Of the pipeline's deployments to the environment; approvals are in the answer about a single one alone. One of the gate's
 * own job is a decision; of a job behind it, what was approved there was not the gate's evidence, and only a no counts.
 */
async function approvals(
  at: Place,
  api: GitLabApi,
  gate: GateAt,
  jobs: readonly z.infer<typeof Job>[],
): Promise<readonly HostDecision[]> {
  const gitlab = await api.any("deployment approvals")
  const listed = z.array(Deployment).parse(
    await gitlab.Deployments.all(at.project, {
      environment: gate.environment,
      orderBy: "id",
      sort: "desc",
      perPage: 100,
      maxPages: 1,
    }),
  )
  const pipeline = Number(gate.pipeline)
  const ids = new Set(jobs.map((job) => job.id))
  const own = listed.filter((d) => d.deployable?.pipeline?.id === pipeline)
  const commit = jobs[0]?.commit?.id ?? jobs[0]?.pipeline.sha ?? ""
  const found: HostDecision[] = []
  for (const { id, deployable } of own) {
    const deployment = Deployment.parse(await gitlab.Deployments.show(at.project, id))
    for (const { user, status, created_at: at, comment } of deployment.approvals ?? []) {
      if (status !== "rejected" && !(status === "approved" && ids.has(deployable?.id ?? 0))) continue
      const said = {
        how: "deployment" as const,
        user: user.username,
        id: String(id),
        decision: status as "approved" | "rejected",
      }
      found.push({ ...said, commit, comment: comment ?? undefined, from: at, until: at })
    }
  }
  return found
}

/** The job that this process runs in, by its own token: nobody can claim another's. */
export async function ownPlay(at: Place, api: GitLabApi): Promise<HostDecision> {
  return asked(at, "the job that this is", async () => play(Job.parse(await api.ownJob())))
}
