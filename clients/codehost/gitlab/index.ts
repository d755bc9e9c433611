import type { CodeHost } from "../host.js"
import type { Place } from "../place.js"
import type { HostOptions } from "../send.js"
import { gitlabApi, type GitLabTokens } from "./api.js"
import { comment, recordDeployment, setStatus } from "./feedback.js"
import { branchFile, jobFile } from "./files.js"
import { decisions, ownPlay } from "./gate.js"
import { changeAuthors, review } from "./review.js"

export type { GitLabTokens } from "./api.js"

/** A project at GitLab, self-managed or not, through its REST API v4. Nothing is loaded or asked before the first call. */
export function gitlabHost(at: Place, tokens: GitLabTokens, options: HostOptions = {}): CodeHost {
  const api = gitlabApi(at, tokens, options)
  return {
    place: at,
    review: (change) => review(at, api, change),
    changeAuthors: (commit) => changeAuthors(at, api, commit),
    decisions: (gate) => decisions(at, api, gate),
    jobFile: (job, path) => jobFile(at, api, job, path),
    branchFile: (file) => branchFile(at, api, file),
    setStatus: (status) => setStatus(at, api, status),
    comment: (told) => comment(at, api, told),
    recordDeployment: (told) => recordDeployment(at, api, told),
    ownPlay: async () => (api.hasJobToken ? ownPlay(at, api) : undefined),
  }
}
