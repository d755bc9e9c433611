import { z } from "zod"

/**
 * What is read of GitLab's answers, and no more (REST API v4: docs.gitlab.com/api/jobs, /deployments, /merge_requests,
 * /merge_request_approvals, /discussions, /notes, /pipelines). The client library's own types are not checked by anybody.
 */
const User = z.object({ username: z.string() })

export const MergeRequest = z.object({
  iid: z.number(),
  state: z.string(),
  web_url: z.string(),
  author: User,
  has_conflicts: z.boolean().nullish(),
})

export const Approvals = z.object({
  /** Not there at the Community Edition, which has no approval rules. */
  approvals_required: z.number().nullish(),
  approved_by: z.array(z.object({ user: User })).nullish(),
})

export const Discussion = z.object({
  notes: z
    .array(
      z.object({
        body: z.string(),
        author: User,
        resolvable: z.boolean().nullish(),
        resolved: z.boolean().nullish(),
        position: z.object({ new_path: z.string().nullish(), new_line: z.number().nullish() }).nullish(),
      }),
    )
    .nullish(),
})

export const Job = z.object({
  id: z.number(),
  name: z.string(),
  status: z.string(),
  web_url: z.string(),
  started_at: z.string().nullish(),
  finished_at: z.string().nullish(),
  /** Who created the job, and from the moment somebody plays or retries it, that one. */
  user: User.nullish(),
  pipeline: z.object({ id: z.number(), sha: z.string().nullish() }),
  commit: z.object({ id: z.string() }).nullish(),
  artifacts_file: z.object({ filename: z.string().nullish() }).nullish(),
})

export const Pipeline = z.object({ id: z.number(), ref: z.string() })

export const Deployment = z.object({
  id: z.number(),
  sha: z.string(),
  status: z.string(),
  environment: z.object({ name: z.string() }),
  deployable: z
    .object({ id: z.number(), name: z.string(), pipeline: z.object({ id: z.number() }).nullish() })
    .nullish(),
  /** Where the tier has deployment approvals. */
  approvals: z
    .array(z.object({ user: User, status: z.string(), created_at: z.string(), comment: z.string().nullish() }))
    .nullish(),
})

export const Note = z.object({ id: z.number(), body: z.string(), system: z.boolean().nullish() })
