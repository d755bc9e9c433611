import { onTestFinished } from "vitest"
import { description } from "./described.js"
import { gitlabApp } from "./gitlab-app.js"
import { servePeer, type Peer } from "./peer.js"

/** What a fake GitLab knows; a test changes it as people and jobs would. */
export interface GitLabWorld {
  readonly project: { readonly id: number; readonly path: string }
  /** What may be done with a token. `api` may all, `read_api` only read; a job's token is its job's. */
  readonly tokens: Map<string, "api" | "read_api" | "expired" | { readonly job: number }>
  readonly mergeRequests: FakeMergeRequest[]
  readonly pipelines: { readonly id: number; readonly ref: string; readonly sha: string; readonly status: string }[]
  readonly jobs: FakeJob[]
  readonly deployments: FakeDeployment[]
  /** Branches that were deleted: a pipeline of one goes on, for GitLab keeps its commit under refs/pipelines. */
  readonly deleted: string[]
  readonly statuses: {
    readonly sha: string
    readonly name: string
    state: string
    description: string | null
    url: string | null
    pipeline: number | null
  }[]
}

export interface FakeMergeRequest {
  readonly iid: number
  /** Commits that it brought, or brings. */
  readonly commits: readonly string[]
  state: "opened" | "merged" | "closed"
  author: string
  approvedBy: string[]
  /** null: the Community Edition, which has no approval rules; the Enterprise Edition's free tier requires 0. */
  approvalsRequired: number | null
  conflicts: boolean
  discussions: { by: string; body: string; resolvable: boolean; resolved?: boolean; path?: string; line?: number }[]
  notes: { id: number; by: string; body: string; system: boolean }[]
}

export interface FakeJob {
  readonly id: number
  readonly name: string
  readonly pipeline: number
  user: string
  status: string
  started: string | null
  finished: string | null
  /** What it left, by path. */
  files: Record<string, string>
}

export interface FakeDeployment {
  readonly id: number
  readonly environment: string
  readonly sha: string
  status: string
  readonly job: number | null
  approvals: { user: string; status: "approved" | "rejected"; at: string; comment: string }[]
}

export const mergeRequest = (
  of: Partial<FakeMergeRequest> & { readonly commits: readonly string[] },
): FakeMergeRequest => ({
  iid: 7,
  state: "opened",
  author: "li.wei",
  approvedBy: ["zhang.min"],
  approvalsRequired: null,
  conflicts: false,
  discussions: [],
  notes: [],
  ...of,
})

export const job = (of: Partial<FakeJob> & Pick<FakeJob, "id">): FakeJob => ({
  name: "gate",
  pipeline: 77,
  user: "li.wei",
  status: "success",
  started: new Date().toISOString(),
  finished: null,
  files: {},
  ...of,
})

export function gitlabWorld(of: Partial<GitLabWorld> = {}): GitLabWorld {
  return {
    project: { id: 42, path: "heike/shop" },
    tokens: new Map([["glpat-right", "api"]]),
    mergeRequests: [],
    pipelines: [],
    jobs: [],
    deleted: [],
    deployments: [],
    statuses: [],
    ...of,
  }
}

/** A GitLab, under a path of its own where `base` says so. Whoever starts it closes it. */
export function serveGitLab(
  world: GitLabWorld,
  options: { readonly base?: string; readonly port?: number } = {},
): Promise<Peer> {
  const { base = "", port } = options
  const app = gitlabApp(world, base)
  return servePeer(app, { base, described: description("gitlab"), ...(port === undefined ? {} : { port }) })
}

/** A GitLab for one test, which fails when the API's description does not allow what was said. */
export async function fakeGitLab(of: Partial<GitLabWorld> = {}, options: { readonly base?: string } = {}) {
  const world = gitlabWorld(of)
  const peer = await serveGitLab(world, options)
  onTestFinished(async () => {
    await peer.close()
    if (peer.violations.length > 0) throw new Error(`not as described: ${peer.violations.join("\n")}`)
  })
  return Object.assign(peer, { world })
}
export type FakeGitLab = Awaited<ReturnType<typeof fakeGitLab>>
