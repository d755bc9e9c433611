import type { Place } from "./place.js"

/** What a delivery asks of the place where a project's code, merge requests and pipelines are. Each host is one folder here. */
export interface CodeHost {
  readonly place: Place
  /**
   * @param change.number Of the merge request; where it is not known, the open one that holds the commit is meant.
   * @returns undefined when the host knows no merge request for it
   */
  review(change: { readonly number?: number | undefined; readonly commit: string }): Promise<Review | undefined>
  /** User names of those whose merge requests brought a commit here. */
  changeAuthors(commit: string): Promise<readonly string[]>
  /** What people decided about a gate of a pipeline, as the host itself knows it. */
  decisions(gate: GateAt): Promise<readonly HostDecision[]>
  /** The play that this process runs in, as its own token proves; undefined where a host or a job has no such token. */
  ownPlay(): Promise<HostDecision | undefined>
  /** What a job of this project left at a path; undefined when there is none, or no longer. @param path from the repository's root */
  jobFile(job: string, path: string): Promise<string | undefined>
  /** A file that a job (on GitHub: an artifact of that name) left in the latest pipeline of a branch that has it; undefined when none has. */
  branchFile(file: {
    readonly branch: string
    readonly job: string
    readonly path: string
  }): Promise<string | undefined>
  /** Sets the status of a commit; the same name again replaces it. */
  setStatus(status: CommitStatus): Promise<void>
  /** Writes the one comment of a merge request that has the marker in it: the first time anew, later in its place. */
  comment(comment: {
    readonly number: number
    readonly marker: string
    readonly body: string
  }): Promise<{ readonly url: string | undefined; readonly updated: boolean }>
  /** Tells the host what runs in an environment, unless it knows that of this commit already. */
  recordDeployment(deployment: HostDeployment): Promise<"recorded" | "known">
}

export interface Review {
  readonly number: number
  readonly url: string
  readonly author: string
  readonly approvals: readonly { readonly by: string }[]
  /** How many approvals the host's own rules demand; 0 where it has none. */
  readonly required: number
  /** Threads that nobody has resolved. */
  readonly unresolved: readonly { readonly by: string; readonly text: string; readonly where?: string }[]
  /** It cannot be merged as it is. */
  readonly conflicts: boolean
}

/** The gate of one pipeline. */
export interface GateAt {
  readonly pipeline: string
  /** Name of the CI job that is the gate. */
  readonly gate: string
  /** The protected environment. */
  readonly environment: string
}

/**
 * A person's act at the host. `play`: started the gate's job (what they decided is known to that job); `deployment`:
 * approved or rejected its deployment; `review`: reviewed the protected environment for this run.
 */
export interface HostDecision {
  readonly how: "play" | "deployment" | "review"
  /** User name. */
  readonly user: string
  /** Id of the job, of the deployment, of the run. */
  readonly id: string
  /** Undefined for a play. */
  readonly decision: "approved" | "rejected" | undefined
  readonly comment?: string | undefined
  /** Of the pipeline. */
  readonly commit: string
  /** When, ISO 8601; where the host tells no moment, from when until when it can have been. */
  readonly from?: string | undefined
  readonly until?: string | undefined
  readonly url?: string | undefined
}

export interface CommitStatus {
  readonly commit: string
  readonly name: string
  readonly state: "pending" | "running" | "success" | "failed" | "cancelled" | "skipped" | "waiting"
  readonly description?: string | undefined
  readonly url?: string | undefined
  /** Pipeline that it belongs to, where the host groups them so. */
  readonly pipeline?: string | undefined
  readonly ref?: string | undefined
}

export interface HostDeployment {
  readonly environment: string
  readonly commit: string
  readonly ref: string
  readonly tag: boolean
  readonly state: "running" | "success" | "failed"
  readonly url?: string | undefined
}
