import type { Server } from "node:http"
import type { AddressInfo } from "node:net"
import { serve } from "@hono/node-server"
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response"
import { Hono, type Context } from "hono"
import { onTestFinished } from "vitest"

/**
 * SonarQube's Web API as far as Gantry speaks it, over a real socket, for the answers that a real server cannot be made to
 * give: pages instead of JSON, errors that go away, tasks that fail. Shapes as SonarQube 26.9 gives them; the tests in
 * test/integration/steps/sonarqube.test.ts hold the same client against the real one.
 */
export interface FakeSonarQube {
  readonly url: string
  readonly requests: string[]
  password: string
  readonly tokens: Map<
    string,
    { readonly type: string; readonly project: string | undefined; readonly expires: string }
  >
  readonly projects: Set<string>
  readonly gates: Map<string, { id: string; metric: string; op: string; error: string }[]>
  readonly selected: Map<string, string>
  /** Answers of the compute task, one per question; the last one stays. */
  task: Record<string, unknown>[]
  gate: Record<string, unknown>
  issues: Record<string, unknown>[]
  /** The next answers of a path, instead of its own. */
  next(path: string, ...answers: (Response | "hang up")[]): void
}

export async function fakeSonarQube(): Promise<FakeSonarQube> {
  const app = new Hono()
  const special = new Map<string, (Response | "hang up")[]>()
  let ids = 0
  const state: FakeSonarQube = {
    url: "",
    requests: [],
    password: "admin",
    tokens: new Map(),
    projects: new Set(),
    gates: new Map([["Sonar way", []]]),
    selected: new Map(),
    task: [{ id: "T1", status: "SUCCESS", analysisId: "A1" }],
    gate: { status: "OK", conditions: [], ignoredConditions: false },
    issues: [],
    next: (path, ...answers) => special.set(path, [...(special.get(path) ?? []), ...answers]),
  }
  const refuse = (c: Context, msg: string) => c.json({ errors: [{ msg }] }, 400)
  const credentials = (c: Context): string => {
    const [kind, value = ""] = (c.req.header("authorization") ?? "").split(" ")
    if (kind === "Basic") return Buffer.from(value, "base64").toString()
    return kind === "Bearer" ? `token:${value}` : ""
  }
  const isValid = (c: Context) =>
    credentials(c) === `admin:${state.password}` || credentials(c) === "token:good" || credentials(c) === "token:plain"
  const form = async (c: Context) => new URLSearchParams(await c.req.text())

  app.use("*", async (c, next) => {
    const path = c.req.path.slice(1)
    state.requests.push(`${c.req.method} ${path}`)
    const answer = special.get(path)?.shift()
    if (answer === "hang up") {
      ;(c.env as { readonly outgoing: { destroy(): void } }).outgoing.destroy()
      return RESPONSE_ALREADY_SENT
    }
    if (answer !== undefined) return answer
    const open = ["api/system/status", "api/authentication/validate"].includes(path)
    if (!open && !isValid(c)) return c.body(null, 401)
    await next()
    return
  })
  app.get("/api/system/status", (c) => c.json({ id: "SERVER-1", version: "26.9.0.129388", status: "UP" }))
  app.get("/api/navigation/global", (c) => c.json({ edition: "community", version: "26.9.0.129388" }))
  app.get("/api/authentication/validate", (c) => c.json({ valid: isValid(c) }))
  app.post("/api/users/change_password", async (c) => {
    const body = await form(c)
    if (body.get("previousPassword") !== state.password) return refuse(c, "Incorrect password")
    state.password = body.get("password") ?? ""
    return c.body(null, 204)
  })
  app.post("/api/user_tokens/generate", async (c) => {
    const body = await form(c)
    const name = body.get("name") ?? ""
    if (credentials(c) === "token:plain") return c.json({ errors: [{ msg: "Insufficient privileges" }] }, 403)
    if (state.tokens.has(name)) return refuse(c, `A user token for login 'admin' and name '${name}' already exists`)
    state.tokens.set(name, {
      type: body.get("type") ?? "USER_TOKEN",
      project: body.get("projectKey") ?? undefined,
      expires: body.get("expirationDate") ?? "",
    })
    return c.json({ login: "admin", name, token: `sqp_${name.length}0123456789abcdef` })
  })
  app.post("/api/user_tokens/revoke", async (c) => {
    state.tokens.delete((await form(c)).get("name") ?? "")
    return c.body(null, 204)
  })
  app.get("/api/user_tokens/search", (c) =>
    c.json({ login: "admin", userTokens: [...state.tokens.keys()].map((name) => ({ name })) }),
  )
  app.get("/api/components/search", (c) => {
    const wanted = c.req.query("q") ?? ""
    return c.json({ components: [...state.projects].filter((key) => key.includes(wanted)).map((key) => ({ key })) })
  })
  app.post("/api/projects/create", async (c) => {
    const key = (await form(c)).get("project") ?? ""
    if (state.projects.has(key)) return refuse(c, `Could not create Project with key: "${key}".`)
    state.projects.add(key)
    return c.json({ project: { key } })
  })
  app.get("/api/qualitygates/list", (c) =>
    c.json({ qualitygates: [...state.gates.keys()].map((name) => ({ name, isDefault: name === "Sonar way" })) }),
  )
  app.post("/api/qualitygates/create", async (c) => {
    const name = (await form(c)).get("name") ?? ""
    if (state.gates.has(name)) return refuse(c, "Name has already been taken")
    // A new gate comes with the conditions of the default, as in the real server.
    state.gates.set(name, [
      { id: `C${++ids}`, metric: "new_coverage", op: "LT", error: "80" },
      { id: `C${++ids}`, metric: "new_security_hotspots_reviewed", op: "LT", error: "100" },
    ])
    return c.json({ name })
  })
  app.get("/api/qualitygates/show", (c) =>
    c.json({ name: c.req.query("name"), conditions: state.gates.get(c.req.query("name") ?? "") ?? [] }),
  )
  app.post("/api/qualitygates/create_condition", async (c) => {
    const body = await form(c)
    const word = (name: string) => body.get(name) ?? ""
    const condition = { id: `C${++ids}`, metric: word("metric"), op: word("op"), error: word("error") }
    state.gates.get(word("gateName"))?.push(condition)
    return c.json(condition)
  })
  app.post("/api/qualitygates/delete_condition", async (c) => {
    const id = (await form(c)).get("id")
    for (const [name, conditions] of state.gates)
      state.gates.set(
        name,
        conditions.filter((one) => one.id !== id),
      )
    return c.body(null, 204)
  })
  app.post("/api/qualitygates/select", async (c) => {
    const body = await form(c)
    state.selected.set(body.get("projectKey") ?? "", body.get("gateName") ?? "")
    return c.body(null, 204)
  })
  app.get("/api/ce/task", (c) => {
    const task = state.task.length > 1 ? state.task.shift() : state.task[0]
    return c.json({ task: { id: c.req.query("id"), ...task } })
  })
  app.get("/api/qualitygates/project_status", (c) => c.json({ projectStatus: state.gate }))
  app.get("/api/issues/search", (c) => c.json({ total: state.issues.length, issues: state.issues }))
  app.get("/api/measures/component", (c) =>
    c.json({
      component: {
        measures: [
          { metric: "coverage", value: "81.5" },
          { metric: "ncloc", value: "667" },
        ],
      },
    }),
  )

  const server = await new Promise<Server>((resolve) => {
    const started = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, () => resolve(started as Server))
  })
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return Object.assign(state, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}
