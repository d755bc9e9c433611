import type { CodeHost } from "../host.js"
import type { Place } from "../place.js"
import type { HostOptions } from "../send.js"
import { githubApi } from "./api.js"
import { comment, recordDeployment, setStatus } from "./feedback.js"
import { branchFile } from "./files.js"
import { decisions } from "./gate.js"
import { changeAuthors, review } from "./review.js"

/** A project at github.com or an Enterprise Server. Nothing is loaded or asked before the first call. */
export function githubHost(at: Place, token: string | undefined, options: HostOptions = {}): CodeHost {
  const api = githubApi(at, token, options)
  return {
    place: at,
    review: (change) => review(at, api, change),
    changeAuthors: (commit) => changeAuthors(at, api, commit),
    decisions: (gate) => decisions(at, api, gate),
    // No job is played here, so none has to say what was decided.
    ownPlay: () => Promise.resolve(undefined),
    jobFile: () => Promise.resolve(undefined),
    branchFile: (file) => branchFile(at, api, file),
    setStatus: (status) => setStatus(at, api, status),
    comment: (told) => comment(at, api, told),
    recordDeployment: (told) => recordDeployment(at, api, told),
  }
}
