import type { Place } from "../place.js"
import { asked } from "../send.js"
import type { GitHubApi } from "./api.js"
import { fileInZip } from "./zip.js"

/** A file out of the newest artifact of a branch; GitHub keeps artifacts as archives. Needs actions: read. */
export function branchFile(
  at: Place,
  api: GitHubApi,
  { branch, job, path }: { readonly branch: string; readonly job: string; readonly path: string },
): Promise<string | undefined> {
  return asked(at, `${path} of branch ${branch}`, async () => {
    const client = await api.client("artifacts")
    const { owner, repo } = api
    // Newest first.
    const { data } = await client.rest.actions.listArtifactsForRepo({ owner, repo, name: job, per_page: 100 })
    const found = data.artifacts.find((one) => !one.expired && one.workflow_run?.head_branch === branch)
    if (found === undefined) return undefined
    const archive = await client.rest.actions.downloadArtifact({
      owner,
      repo,
      artifact_id: found.id,
      archive_format: "zip",
    })
    return fileInZip(Buffer.from(archive.data as ArrayBuffer), path)?.toString("utf8")
  })
}
