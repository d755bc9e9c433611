import { z } from "zod"
import { isFault } from "../../../core/errors.js"
import type { CommitStatus, HostDeployment } from "../host.js"
import type { Place } from "../place.js"
import { asked } from "../send.js"
import { Deployment, MergeRequest, Note } from "./answers.js"
import type { GitLabApi } from "./api.js"

const stateOf = {
  pending: "pending",
  running: "running",
  success: "success",
  failed: "failed",
  cancelled: "canceled",
  // Instances before "skipped" was a state refuse it.
  skipped: "success",
  // A pending status would keep the pipeline running for as long as nobody decides.
  waiting: "canceled",
} as const

/** Characters that GitLab takes of a status' description and address: docs.gitlab.com/api/commits. */
const longest = 255

/** Needs the scope api: a job token may not set statuses. */
export function setStatus(at: Place, api: GitLabApi, status: CommitStatus): Promise<void> {
  return asked(at, `the status ${status.name}`, async () => {
    const gitlab = await api.full("commit statuses")
    const { url, description, ref, pipeline } = status
    try {
      const state = stateOf[status.state]
      await gitlab.Commits.editStatus(at.project, status.commit, state, {
        name: status.name,
        ...(ref === undefined ? {} : { ref }),
        // A part of an address leads nowhere, and with the whole of a longer one the status would be refused.
        ...(url === undefined || url.length > longest ? {} : { targetUrl: url }),
        ...(description === undefined ? {} : { description: description.slice(0, longest) }),
        ...(pipeline === undefined ? {} : { pipelineId: Number(pipeline) }),
      })
    } catch (error) {
      // "Cannot transition status via :run from :running": it is what it was to become.
      if (isFault(error) && error.code === "CODEHOST-REFUSED" && /Cannot transition status/.test(error.reason ?? ""))
        return
      throw error
    }
  })
}

/** Needs the scope api. */
export function comment(
  at: Place,
  api: GitLabApi,
  { number, marker, body }: { readonly number: number; readonly marker: string; readonly body: string },
): Promise<{ readonly url: string; readonly updated: boolean }> {
  return asked(at, `the comment on !${number}`, async () => {
    const gitlab = await api.full("comments")
    const notes = z.array(Note).parse(await gitlab.MergeRequestNotes.all(at.project, number, { perPage: 100 }))
    const earlier = notes.find((note) => note.system !== true && note.body.includes(marker))
    const { id } = Note.parse(
      earlier === undefined
        ? await gitlab.MergeRequestNotes.create(at.project, number, body)
        : earlier.body === body
          ? earlier
          : await gitlab.MergeRequestNotes.edit(at.project, number, earlier.id, { body }),
    )
    const { web_url: page } = MergeRequest.parse(await gitlab.MergeRequests.show(at.project, number))
    return { url: `${page}#note_${id}`, updated: earlier !== undefined }
  })
}

/** Jobs with `environment:` make deployments by themselves; those of the same commit are left as they are. */
export function recordDeployment(at: Place, api: GitLabApi, told: HostDeployment): Promise<"recorded" | "known"> {
  return asked(at, `the deployment to ${told.environment}`, async () => {
    const gitlab = await api.any("deployments")
    const { environment, commit, ref, tag, state: status } = told
    const listed = z.array(Deployment).parse(
      await gitlab.Deployments.all(at.project, {
        environment,
        orderBy: "id",
        sort: "desc",
        perPage: 20,
        maxPages: 1,
      }),
    )
    const known = listed.find((d) => d.sha === commit)
    if (known === undefined) await gitlab.Deployments.create(at.project, environment, commit, ref, tag, { status })
    else if (known.deployable == null && known.status !== status)
      await gitlab.Deployments.edit(at.project, known.id, status)
    else return "known"
    return "recorded"
  })
}
