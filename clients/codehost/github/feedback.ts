import type { CommitStatus, HostDeployment } from "../host.js"
import type { Place } from "../place.js"
import { asked } from "../send.js"
import type { GitHubApi } from "./api.js"

const stateOf = {
  pending: "pending",
  running: "pending",
  success: "success",
  failed: "failure",
  cancelled: "error",
  skipped: "success",
  waiting: "pending",
} as const

/** Needs statuses: write. */
export function setStatus(at: Place, api: GitHubApi, status: CommitStatus): Promise<void> {
  return asked(at, `the status ${status.name}`, async () => {
    const client = await api.client("commit statuses")
    const { owner, repo } = api
    await client.rest.repos.createCommitStatus({
      owner,
      repo,
      sha: status.commit,
      state: stateOf[status.state],
      context: status.name,
      ...(status.description === undefined ? {} : { description: status.description.slice(0, 140) }),
      ...(status.url === undefined ? {} : { target_url: status.url }),
    })
  })
}

/** Needs pull requests: write. */
export function comment(
  at: Place,
  api: GitHubApi,
  { number, marker, body }: { readonly number: number; readonly marker: string; readonly body: string },
): Promise<{ readonly url: string; readonly updated: boolean }> {
  return asked(at, `the comment on #${number}`, async () => {
    const client = await api.client("comments")
    const { owner, repo } = api
    const issue = { owner, repo, issue_number: number }
    const comments = await client.paginate(client.rest.issues.listComments, { ...issue, per_page: 100 })
    const earlier = comments.find((one) => one.body?.includes(marker) === true)
    if (earlier?.body === body) return { url: earlier.html_url, updated: true }
    const { data } =
      earlier === undefined
        ? await client.rest.issues.createComment({ ...issue, body })
        : await client.rest.issues.updateComment({ owner, repo, comment_id: earlier.id, body })
    return { url: data.html_url, updated: earlier !== undefined }
  })
}

/** Jobs with `environment:` make deployments by themselves; those of the same commit are left as they are. Needs deployments: write. */
export function recordDeployment(at: Place, api: GitHubApi, told: HostDeployment): Promise<"recorded" | "known"> {
  return asked(at, `the deployment to ${told.environment}`, async () => {
    const client = await api.client("deployments")
    const { owner, repo } = api
    const { environment, commit, state, url } = told
    const { data: known } = await client.rest.repos.listDeployments({
      owner,
      repo,
      environment,
      sha: commit,
      per_page: 1,
    })
    if (known.length > 0) return "known"
    const { data } = await client.rest.repos.createDeployment({
      owner,
      repo,
      environment,
      ref: commit,
      auto_merge: false,
      required_contexts: [],
      description: "by Gantry",
    })
    if (!("id" in data)) return "known"
    await client.rest.repos.createDeploymentStatus({
      owner,
      repo,
      deployment_id: data.id,
      state: state === "running" ? "in_progress" : state === "failed" ? "failure" : "success",
      ...(url === undefined ? {} : { environment_url: url }),
    })
    return "recorded"
  })
}
