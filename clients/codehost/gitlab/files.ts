import { z } from "zod"
import type { Place } from "../place.js"
import { asked, ifThere } from "../send.js"
import { Job, Pipeline } from "./answers.js"
import type { GitLabApi } from "./api.js"

/** How many pipelines of a branch are looked through for one that has the file. */
const recent = 10

/** What a job left at a path, as text. */
export function jobFile(at: Place, api: GitLabApi, job: string, path: string): Promise<string | undefined> {
  return asked(at, `${path} of job ${job}`, async () => {
    const gitlab = await api.any("files of jobs")
    const text = await ifThere(
      gitlab.JobArtifacts.downloadArchive(at.project, { jobId: Number(job), artifactPath: path }),
    )
    return text as unknown as string | undefined
  })
}

/**
 * A file that a job left in the latest pipeline of a branch. Pipelines that wait at their gate count, too: GitLab's own "latest"
 * is the latest successful one, which is all that a job token alone can ask for.
 */
export function branchFile(
  at: Place,
  api: GitLabApi,
  { branch, job, path }: { readonly branch: string; readonly job: string; readonly path: string },
): Promise<string | undefined> {
  return asked(at, `${path} of branch ${branch}`, async () => {
    if (!api.hasProjectToken) {
      const gitlab = await api.any("files of jobs")
      const found = gitlab.JobArtifacts.downloadArchive(at.project, { ref: branch, job, artifactPath: path })
      return (await ifThere(found)) as unknown as string | undefined
    }
    const gitlab = await api.full("pipelines")
    const pipelines = z
      .array(Pipeline)
      .parse(await gitlab.Pipelines.all(at.project, { ref: branch, perPage: recent, maxPages: 1 }))
    for (const { id } of pipelines) {
      const jobs = z.array(Job).parse(await gitlab.Jobs.all(at.project, { pipelineId: id, perPage: 100 }))
      const found = jobs.find((one) => one.name === job && one.artifacts_file != null)
      const text = found === undefined ? undefined : await jobFile(at, api, String(found.id), path)
      if (text !== undefined) return text
    }
    return undefined
  })
}
