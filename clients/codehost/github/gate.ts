import type { GateAt, HostDecision } from "../host.js"
import type { Place } from "../place.js"
import { asked } from "../send.js"
import type { GitHubApi } from "./api.js"

/**
 * Who reviewed the protected environment for a run. GitHub tells no moment of a review: it was between the start of the run
 * and the end of the gate's job. Needs actions: read.
 */
export function decisions(at: Place, api: GitHubApi, gate: GateAt): Promise<readonly HostDecision[]> {
  return asked(at, "who reviewed the environment", async () => {
    const client = await api.client("reviews of the environment")
    const { owner, repo } = api
    const run = { owner, repo, run_id: Number(gate.pipeline) }
    const [{ data: reviews }, { data: info }, jobs] = await Promise.all([
      client.rest.actions.getReviewsForRun(run),
      client.rest.actions.getWorkflowRun(run),
      client.paginate(client.rest.actions.listJobsForWorkflowRun, { ...run, filter: "all" as const, per_page: 100 }),
    ])
    const gates = jobs.filter((job) => job.name === gate.gate && job.started_at !== null)
    const ends = gates.map((job) => job.completed_at)
    const until = ends.length === 0 || ends.includes(null) ? undefined : [...ends].sort().at(-1)
    return reviews.flatMap(({ state, user, comment, environments }): HostDecision[] => {
      if ((state !== "approved" && state !== "rejected") || user === null) return []
      if (!environments.some((environment) => environment.name === gate.environment)) return []
      return [
        {
          how: "review",
          user: user.login,
          id: gate.pipeline,
          decision: state,
          comment: comment === "" ? undefined : comment,
          commit: info.head_sha,
          from: info.run_started_at ?? info.created_at,
          until: until ?? undefined,
          url: info.html_url,
        },
      ]
    })
  })
}
