import { Hono, type Context } from "hono"
import type { FakeDeployment, FakeJob, FakeMergeRequest, GitLabWorld } from "./gitlab.js"
import { paged } from "./peer.js"

/**
 * The part of GitLab's REST API v4 that is used: reviews, plays, deployments, statuses, comments, files of jobs.
 * https://docs.gitlab.com/api/rest/
 */
export function gitlabApp(world: GitLabWorld, base: string): Hono {
  const { project } = world
  const app = new Hono()
  const api = `${base}/api/v4`
  const of = `${api}/projects/:id`
  const page = (c: Context, iid: number) =>
    `${new URL(c.req.url).origin}${base}/${project.path}/-/merge_requests/${iid}`
  const refused = (c: Context, status: 400 | 401 | 403 | 404 | 409, message: string) => c.json({ message }, status)
  const list = <T>(c: Context, all: readonly T[]) => {
    const { items, link } = paged(c, all, c.req.url)
    return c.json([...items] as object[], 200, link === undefined ? {} : { link })
  }

  /** What a job token may do: https://docs.gitlab.com/ci/jobs/ci_job_token/ */
  app.use(`${base}/*`, async (c, next) => {
    const token = c.req.header("private-token") ?? c.req.header("job-token")
    const granted = token === undefined ? undefined : world.tokens.get(token)
    if (granted === undefined) return refused(c, 401, "401 Unauthorized")
    if (granted === "expired")
      return c.json(
        {
          error: "invalid_token",
          error_description: "Token is expired. You can either do re-authorization or token refresh.",
        },
        401,
      )
    const { pathname } = new URL(c.req.url)
    const isJob = typeof granted === "object"
    if (isJob !== (c.req.header("job-token") !== undefined)) return refused(c, 401, "401 Unauthorized")
    if (isJob && !/\/api\/v4\/job$|\/jobs\/(\d+\/artifacts|artifacts)\/|\/deployments/.test(pathname)) {
      return refused(c, 404, "404 Project Not Found")
    }
    if (granted === "read_api" && c.req.method !== "GET") {
      return c.json(
        {
          error: "insufficient_scope",
          error_description: "The request requires higher privileges than provided by the access token.",
          scope: "api",
        },
        403,
      )
    }
    return next()
  })
  app.use(`${of}/*`, async (c, next) => {
    const id = c.req.param("id") ?? ""
    return id === String(project.id) || id === project.path ? next() : refused(c, 404, "404 Project Not Found")
  })

  app.get(`${api}/job`, (c) => {
    const granted = world.tokens.get(c.req.header("job-token") ?? "")
    const found = typeof granted === "object" ? world.jobs.find((one) => one.id === granted.job) : undefined
    return found === undefined ? refused(c, 401, "401 Unauthorized") : c.json(jobJson(world, found))
  })

  app.get(`${of}/repository/commits/:sha/merge_requests`, (c) =>
    list(
      c,
      world.mergeRequests
        .filter((m) => m.commits.includes(c.req.param("sha")))
        .map((m) => requestJson(m, page(c, m.iid))),
    ),
  )
  const request = (c: Context) => world.mergeRequests.find((m) => String(m.iid) === c.req.param("iid"))
  app.get(`${of}/merge_requests/:iid`, (c) => {
    const found = request(c)
    return found === undefined
      ? refused(c, 404, "404 Not found")
      : c.json({ ...requestJson(found, page(c, found.iid)), subscribed: false })
  })
  app.get(`${of}/merge_requests/:iid/approvals`, (c) => {
    const found = request(c)
    return found === undefined ? refused(c, 404, "404 Not found") : c.json(approvalsJson(found))
  })
  app.get(`${of}/merge_requests/:iid/discussions`, (c) => list(c, (request(c)?.discussions ?? []).map(discussionJson)))
  const notes = `${of}/merge_requests/:iid/notes`
  app.get(notes, (c) => list(c, (request(c)?.notes ?? []).map(noteJson)))
  app.post(notes, async (c) => {
    const found = request(c)
    if (found === undefined) return refused(c, 404, "404 Not found")
    const { body } = await c.req.json<{ body: string }>()
    const note = { id: 900 + found.notes.length, by: "gantry-bot", body, system: false }
    found.notes.push(note)
    return c.json(noteJson(note), 201)
  })
  app.put(`${notes}/:note`, async (c) => {
    const note = request(c)?.notes.find((one) => String(one.id) === c.req.param("note"))
    if (note === undefined) return refused(c, 404, "404 Not found")
    note.body = (await c.req.json<{ body: string }>()).body
    return c.json(noteJson(note))
  })

  app.post(`${of}/statuses/:sha`, async (c) => {
    type Told = { name: string; state: string; description?: string; target_url?: string; pipeline_id?: number }
    const told = await c.req.json<Told>()
    const sha = c.req.param("sha")
    const known = world.statuses.find((one) => one.sha === sha && one.name === told.name)
    if (known !== undefined && known.state === told.state) {
      return refused(c, 400, `Cannot transition status via :${told.state} from :${known.state}`)
    }
    if ((told.target_url ?? "").length > 255) {
      return refused(c, 400, "target_url is too long (maximum is 255 characters)")
    }
    const fresh = { sha, name: told.name, state: "", description: null, url: null, pipeline: told.pipeline_id ?? null }
    const status = known ?? fresh
    if (known === undefined) world.statuses.push(status)
    status.state = told.state
    status.description = told.description ?? null
    status.url = told.target_url ?? null
    return c.json(
      {
        id: 1 + world.statuses.indexOf(status),
        sha,
        status: status.state,
        name: status.name,
        description: status.description,
        target_url: status.url,
      },
      201,
    )
  })

  app.get(`${of}/pipelines`, (c) => {
    const ref = c.req.query("ref")
    const found = world.pipelines.filter((one) => ref === undefined || one.ref === ref)
    return list(
      c,
      [...found].sort((a, b) => b.id - a.id),
    )
  })
  app.get(`${of}/pipelines/:pipeline/jobs`, (c) => {
    const all = world.jobs.filter((one) => String(one.pipeline) === c.req.param("pipeline")).sort((a, b) => b.id - a.id)
    // A job that was retried is listed only when it is asked for.
    const newest = all.filter((one) => all.find((other) => other.name === one.name) === one)
    return list(
      c,
      (c.req.query("include_retried") === "true" ? all : newest).map((one) => jobJson(world, one)),
    )
  })
  const file = (c: Context, found: FakeJob | undefined, path: string) => {
    const text = found?.files[path]
    return text === undefined
      ? refused(c, 404, "404 Not found")
      : c.body(text, 200, { "content-type": "application/octet-stream" })
  }
  const rest = (c: Context, before: RegExp) => decodeURIComponent(new URL(c.req.url).pathname).replace(before, "")
  app.get(`${of}/jobs/artifacts/:ref/raw/*`, (c) => {
    const pipeline = world.pipelines
      .filter((one) => one.ref === c.req.param("ref") && one.status === "success")
      .sort((a, b) => b.id - a.id)[0]
    const found = world.jobs.find((one) => one.pipeline === pipeline?.id && one.name === c.req.query("job"))
    return file(c, found, rest(c, /^.*?\/raw\//))
  })
  app.get(`${of}/jobs/:job/artifacts/*`, (c) =>
    file(
      c,
      world.jobs.find((one) => String(one.id) === c.req.param("job")),
      rest(c, /^.*?\/artifacts\//),
    ),
  )

  app.get(`${of}/deployments`, (c) => {
    const found = world.deployments.filter((d) => d.environment === (c.req.query("environment") ?? d.environment))
    return list(
      c,
      [...found].sort((a, b) => b.id - a.id).map((d) => deploymentJson(world, d)),
    )
  })
  const extended = (d: FakeDeployment) => ({
    ...deploymentJson(world, d),
    pending_approval_count: 0,
    approvals: d.approvals.map((a) => ({ user: user(a.user), status: a.status, created_at: a.at, comment: a.comment })),
  })
  app.get(`${of}/deployments/:deployment`, (c) => {
    const found = world.deployments.find((d) => String(d.id) === c.req.param("deployment"))
    return found === undefined ? refused(c, 404, "404 Not found") : c.json(extended(found))
  })
  app.post(`${of}/deployments`, async (c) => {
    type Told = { environment: string; sha: string; ref: string; status: string }
    const { environment, sha, ref, status } = await c.req.json<Told>()
    // lib/api/deployments.rb
    if (world.deleted.includes(ref)) return c.json({ message: { ref: ["The branch or tag does not exist"] } }, 400)
    const made = { id: 500 + world.deployments.length, environment, sha, status, job: null, approvals: [] }
    world.deployments.push(made)
    return c.json(extended(made), 201)
  })
  app.put(`${of}/deployments/:deployment`, async (c) => {
    const found = world.deployments.find((d) => String(d.id) === c.req.param("deployment"))
    if (found === undefined) return refused(c, 404, "404 Not found")
    found.status = (await c.req.json<{ status: string }>()).status
    return c.json(extended(found))
  })
  app.notFound((c) => c.json({ error: "404 Not Found" }, 404))
  return app
}

const user = (username: string) => ({ id: username.length, username, name: username, state: "active" })

function requestJson(m: FakeMergeRequest, url: string) {
  return {
    id: 1000 + m.iid,
    iid: m.iid,
    state: m.state,
    author: user(m.author),
    web_url: url,
    has_conflicts: m.conflicts,
    title: "A change",
  }
}

/** The Community Edition answers without what only the Enterprise Edition knows. ee/lib/ee/api/merge_request_approvals.rb */
function approvalsJson({ iid, state, approvedBy, approvalsRequired: required }: FakeMergeRequest) {
  const given = {
    user_has_approved: false,
    user_can_approve: false,
    approved: approvedBy.length > 0,
    approved_by: approvedBy.map((by) => ({ user: user(by) })),
  }
  if (required === null) return given
  const left = Math.max(0, required - approvedBy.length)
  return {
    ...given,
    id: 1000 + iid,
    iid,
    state,
    approved: left === 0,
    approvals_required: required,
    approvals_left: left,
  }
}

function discussionJson(d: FakeMergeRequest["discussions"][number], index: number) {
  const position =
    d.path === undefined ? undefined : { position_type: "text", new_path: d.path, new_line: d.line ?? null }
  const note = { id: index, body: d.body, author: user(d.by), system: false, resolvable: d.resolvable }
  return {
    id: String(index),
    notes: [
      {
        ...note,
        ...(d.resolved === undefined ? {} : { resolved: d.resolved }),
        ...(position === undefined ? {} : { position }),
      },
    ],
  }
}

const noteJson = (n: FakeMergeRequest["notes"][number]) => ({
  id: n.id,
  body: n.body,
  author: user(n.by),
  system: n.system,
})

function jobJson(world: GitLabWorld, j: FakeJob) {
  const sha = world.pipelines.find((p) => p.id === j.pipeline)?.sha ?? null
  return {
    id: j.id,
    name: j.name,
    status: j.status,
    started_at: j.started,
    finished_at: j.finished,
    user: user(j.user),
    commit: sha === null ? null : { id: sha },
    pipeline: { id: j.pipeline, sha },
    web_url: `https://gitlab.example/${world.project.path}/-/jobs/${j.id}`,
    artifacts_file: Object.keys(j.files).length === 0 ? null : { filename: "artifacts.zip", size: 1 },
  }
}

function deploymentJson(world: GitLabWorld, d: FakeDeployment) {
  const found = world.jobs.find((one) => one.id === d.job)
  return {
    id: d.id,
    sha: d.sha,
    ref: "main",
    status: d.status,
    environment: { id: 1, name: d.environment },
    deployable: found === undefined ? null : jobJson(world, found),
  }
}
