import { deflateRawSync } from "node:zlib"
import { Hono, type Context } from "hono"
import { onTestFinished } from "vitest"
import { description } from "./described.js"
import { paged, servePeer } from "./peer.js"
import { sampler } from "./sample.js"

/** What a fake GitHub knows. */
export interface GitHubWorld {
  readonly tokens: Set<string>
  readonly pulls: {
    readonly number: number
    readonly commits: readonly string[]
    readonly author: string
    state: "open" | "closed"
    merged: boolean
    mergeable: boolean | null
    reviews: { by: string; state: "APPROVED" | "CHANGES_REQUESTED" | "COMMENTED" | "DISMISSED" }[]
    threads: { by: string; body: string; resolved: boolean; path?: string; line?: number }[]
    comments: { id: number; body: string }[]
  }[]
  /** Approving reviews that the rules of the branch demand. */
  required: number
  readonly runs: {
    readonly id: number
    readonly sha: string
    readonly started: string
    jobs: { id: number; name: string; started: string; completed: string | null }[]
    reviews: { user: string; state: "approved" | "rejected" | "pending"; comment: string; environment: string }[]
  }[]
  readonly statuses: {
    readonly sha: string
    readonly context: string
    readonly state: string
    readonly description: string | null
  }[]
  readonly deployments: { readonly id: number; readonly environment: string; readonly ref: string; states: string[] }[]
  readonly artifacts: {
    readonly id: number
    readonly name: string
    readonly branch: string
    readonly expired: boolean
    readonly files: Readonly<Record<string, string>>
  }[]
}

/** The part of GitHub's REST API (as an Enterprise Server has it) that is used, and of GraphQL the review threads. */
function githubApp(world: GitHubWorld, project: string): Hono {
  const sample = sampler()
  const app = new Hono()
  const of = `/api/v3/repos/${project}`
  const user = (login: string) => ({ ...sample("simple-user"), login, id: login.length })
  const list = <T>(c: Context, all: readonly T[], wrap?: string) => {
    const { items, link } = paged(c, all, c.req.url)
    const body = wrap === undefined ? [...items] : { total_count: all.length, [wrap]: items }
    return c.json(body as object, 200, link === undefined ? {} : { link })
  }
  const pull = (c: Context) => world.pulls.find((p) => String(p.number) === c.req.param("number"))
  const none = (c: Context) =>
    c.json({ message: "Not Found", documentation_url: "https://docs.github.com/rest", status: "404" }, 404)

  app.use("*", async (c, next) => {
    const token = (c.req.header("authorization") ?? "").replace(/^(token|bearer) /i, "")
    return world.tokens.has(token) ? next() : c.json({ message: "Bad credentials", status: "401" }, 401)
  })
  const pullJson = (p: GitHubWorld["pulls"][number], schema: string) => ({
    ...sample(schema),
    number: p.number,
    state: p.state,
    html_url: `https://github.example/${project}/pull/${p.number}`,
    user: user(p.author),
    merged_at: p.merged ? "2026-01-01T00:00:00Z" : null,
    ...(schema === "pull-request" ? { mergeable: p.mergeable } : {}),
    base: { ...(sample(schema)["base"] as object), ref: "main" },
  })
  app.get(`${of}/pulls/:number`, (c) => {
    const found = pull(c)
    return found === undefined ? none(c) : c.json(pullJson(found, "pull-request"))
  })
  app.get(`${of}/pulls/:number/reviews`, (c) =>
    list(
      c,
      (pull(c)?.reviews ?? []).map((r) => ({ ...sample("pull-request-review"), user: user(r.by), state: r.state })),
    ),
  )
  app.get(`${of}/rules/branches/:branch`, (c) =>
    list(
      c,
      world.required === 0
        ? []
        : [
            {
              type: "pull_request",
              parameters: {
                dismiss_stale_reviews_on_push: false,
                require_code_owner_review: false,
                require_last_push_approval: false,
                required_approving_review_count: world.required,
                required_review_thread_resolution: false,
              },
            },
          ],
    ),
  )
  app.get(`${of}/commits/:sha/pulls`, (c) =>
    list(
      c,
      world.pulls.filter((p) => p.commits.includes(c.req.param("sha"))).map((p) => pullJson(p, "pull-request-simple")),
    ),
  )
  app.post("/api/graphql", async (c) => {
    const { variables } = await c.req.json<{ variables: { number: number; after: string | null } }>()
    const threads = world.pulls.find((p) => p.number === variables.number)?.threads ?? []
    const from = Number(variables.after ?? 0)
    const nodes = threads.slice(from, from + 100).map((t) => ({
      isResolved: t.resolved,
      path: t.path ?? null,
      line: t.line ?? null,
      comments: { nodes: [{ body: t.body, author: { login: t.by } }] },
    }))
    const pageInfo = { hasNextPage: threads.length > from + 100, endCursor: String(from + 100) }
    return c.json({ data: { repository: { pullRequest: { reviewThreads: { pageInfo, nodes } } } } })
  })

  const run = (c: Context) => world.runs.find((r) => String(r.id) === c.req.param("run"))
  app.get(`${of}/actions/runs/:run/approvals`, (c) =>
    c.json(
      (run(c)?.reviews ?? []).map((r) => ({
        state: r.state,
        comment: r.comment,
        user: user(r.user),
        environments: [{ id: 1, name: r.environment }],
      })),
    ),
  )
  app.get(`${of}/actions/runs/:run`, (c) => {
    const found = run(c)
    if (found === undefined) return none(c)
    return c.json({
      ...sample("workflow-run"),
      id: found.id,
      head_sha: found.sha,
      run_started_at: found.started,
      created_at: found.started,
    })
  })
  app.get(`${of}/actions/runs/:run/jobs`, (c) =>
    list(
      c,
      (run(c)?.jobs ?? []).map((j) => ({
        ...sample("job"),
        id: j.id,
        name: j.name,
        started_at: j.started,
        completed_at: j.completed,
      })),
      "jobs",
    ),
  )
  app.post(`${of}/statuses/:sha`, async (c) => {
    const {
      state,
      context,
      description: text,
    } = await c.req.json<{ state: string; context: string; description?: string }>()
    world.statuses.push({ sha: c.req.param("sha"), context, state, description: text ?? null })
    return c.json({ ...sample("status"), state, context, description: text ?? null }, 201)
  })
  const commentJson = (one: { id: number; body: string }) => ({
    ...sample("issue-comment"),
    ...one,
    html_url: `https://github.example/${project}/pull/7#issuecomment-${one.id}`,
  })
  app.get(`${of}/issues/:number/comments`, (c) => list(c, (pull(c)?.comments ?? []).map(commentJson)))
  app.post(`${of}/issues/:number/comments`, async (c) => {
    const found = pull(c)
    if (found === undefined) return none(c)
    const made = { id: 100 + found.comments.length, body: (await c.req.json<{ body: string }>()).body }
    found.comments.push(made)
    return c.json(commentJson(made), 201)
  })
  app.patch(`${of}/issues/comments/:id`, async (c) => {
    const found = world.pulls.flatMap((p) => p.comments).find((one) => String(one.id) === c.req.param("id"))
    if (found === undefined) return none(c)
    found.body = (await c.req.json<{ body: string }>()).body
    return c.json(commentJson(found))
  })
  app.get(`${of}/deployments`, (c) =>
    list(
      c,
      world.deployments
        .filter((d) => d.environment === c.req.query("environment") && d.ref === c.req.query("sha"))
        .map((d) => ({ ...sample("deployment"), id: d.id, environment: d.environment })),
    ),
  )
  app.post(`${of}/deployments`, async (c) => {
    const { environment, ref } = await c.req.json<{ environment: string; ref: string }>()
    const made = { id: 300 + world.deployments.length, environment, ref, states: [] as string[] }
    world.deployments.push(made)
    return c.json({ ...sample("deployment"), id: made.id, environment }, 201)
  })
  app.post(`${of}/deployments/:id/statuses`, async (c) => {
    const { state } = await c.req.json<{ state: string }>()
    world.deployments.find((d) => String(d.id) === c.req.param("id"))?.states.push(state)
    return c.json({ ...sample("deployment-status"), state }, 201)
  })
  app.get(`${of}/actions/artifacts`, (c) =>
    list(
      c,
      world.artifacts
        .filter((a) => a.name === c.req.query("name"))
        .sort((a, b) => b.id - a.id)
        .map((a) => ({
          ...sample("artifact"),
          id: a.id,
          name: a.name,
          expired: a.expired,
          workflow_run: { id: a.id, head_branch: a.branch },
        })),
      "artifacts",
    ),
  )
  app.get(`${of}/actions/artifacts/:id/zip`, (c) => c.redirect(`/storage/${c.req.param("id")}?signature=1`, 302))
  app.get("/storage/:id", (c) => {
    const found = world.artifacts.find((a) => String(a.id) === c.req.param("id"))
    return c.body(new Uint8Array(zip(found?.files ?? {})), 200, { "content-type": "application/zip" })
  })
  app.notFound((c) => none(c))
  return app
}

/** A GitHub for one test, which fails when the API's description does not allow what was said. */
export async function fakeGitHub(of: Partial<GitHubWorld> = {}, project = "heike/shop") {
  const world: GitHubWorld = {
    tokens: new Set(["ghs-right"]),
    pulls: [],
    required: 0,
    runs: [],
    statuses: [],
    deployments: [],
    artifacts: [],
    ...of,
  }
  const peer = await servePeer(githubApp(world, project), {
    base: "/api/v3",
    described: description("github"),
    except: /^\/(api\/graphql|storage\/)/,
  })
  onTestFinished(async () => {
    await peer.close()
    if (peer.violations.length > 0) throw new Error(`not as described: ${peer.violations.join("\n")}`)
  })
  return Object.assign(peer, { world })
}

/** A ZIP archive: the first file as it is, the others packed. */
export function zip(files: Readonly<Record<string, string>>): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  Object.entries(files).forEach(([name, text], index) => {
    const [path, bytes] = [Buffer.from(name), Buffer.from(text)]
    const [method, data] = index === 0 ? [0, bytes] : [8, deflateRawSync(bytes)]
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(method, 4)
    common.writeUInt32LE(data.length, 14)
    common.writeUInt32LE(bytes.length, 18)
    common.writeUInt16LE(path.length, 22)
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, path, data])
    const entry = Buffer.alloc(14)
    entry.writeUInt32LE(offset, 10)
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00", "latin1"), common, entry, path]))
    parts.push(local)
    offset += local.length
  })
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(directory.length, 6)
  end.writeUInt32LE(central.length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...parts, central, Buffer.from("PK\x05\x06", "latin1"), end])
}
