import { z } from "zod"
import { fault, type Fault } from "../../core/errors.js"
import { discard, type Response } from "../../net/http.js"
import { readText, request, type HttpPolicy, type Peer } from "../../net/retry.js"

/** A user token, or a login and its password (only where no token can exist yet). */
export type SonarCredentials =
  { readonly token: string } | { readonly login: string; readonly password: string } | undefined

export interface SonarOptions {
  /** Base address, with the context path if the server has one: "http://127.0.0.1:9000", "https://sonar.example/sonar". */
  readonly url: string
  readonly credentials?: SonarCredentials
  readonly signal?: AbortSignal | undefined
  readonly policy?: HttpPolicy
}

/** A call of the Web API. Parameters go into the address of a GET and into the body of a POST, so that no log has them. */
export interface SonarCall {
  readonly method?: "GET" | "POST"
  readonly params?: Readonly<Record<string, string | undefined>>
  /** A POST that leads to the same state however often it is sent may be tried again. GETs always are. */
  readonly repeatable?: boolean
  /** What is being done, for errors: "ask for the quality gate". */
  readonly to: string
}

/** What one server is asked with. Made by `sonarSession`; every function of this client takes it first. */
export interface SonarSession {
  readonly url: string
  readonly signal: AbortSignal | undefined
  /** The answer's JSON in its expected shape. @throws SONAR-UNAVAILABLE, SONAR-UNAUTHORIZED, SONAR-FORBIDDEN, SONAR-REFUSED, SONAR-ANSWER */
  read<T>(path: string, schema: z.ZodType<T>, call: SonarCall): Promise<T>
  /** For calls whose answer says nothing. @throws as `read` */
  send(path: string, call: SonarCall): Promise<void>
  /** As `send`, but a refusal (4xx) is answered: the server's own words. `undefined`: it was done. */
  attempt(path: string, call: SonarCall): Promise<string | undefined>
}

/** Errors as the Web API gives them. */
const Refusal = z.object({ errors: z.array(z.object({ msg: z.string() })).min(1) })

export function sonarSession(options: SonarOptions): SonarSession {
  const url = options.url.replace(/\/+$/, "")
  const peer: Peer = {
    name: `SonarQube at ${url}`,
    code: "SONAR-UNAVAILABLE",
    hint: "`gantry stack status` shows the local server; for one of your own check `sonarqube.url` and the network.",
  }
  const authorization = authorizationOf(options.credentials)

  const ask = (path: string, call: SonarCall): Promise<Response> => {
    const params = new URLSearchParams()
    for (const [name, value] of Object.entries(call.params ?? {})) if (value !== undefined) params.set(name, value)
    const get = (call.method ?? "GET") === "GET"
    const query = get && params.size > 0 ? `?${params.toString()}` : ""
    return request(
      peer,
      `${url}/${path}${query}`,
      {
        method: call.method ?? "GET",
        headers: { accept: "application/json", ...(authorization === undefined ? {} : { authorization }) },
        signal: options.signal,
        ...(get ? {} : { body: params }),
      },
      get || call.repeatable === true ? options.policy : { ...options.policy, attempts: 1 },
    )
  }

  const refused = async (response: Response, path: string, call: SonarCall): Promise<Fault> => {
    const said = said4xx(await readText(peer, response))
    const where = `${response.status} from ${url}/${path}${said === "" ? "" : `: ${said}`}`
    if (response.status === 401) {
      return fault({
        code: "SONAR-UNAUTHORIZED",
        kind: "errored",
        message: `SonarQube does not accept the credentials to ${call.to}`,
        reason: where,
        hint: "A token of one's own server may have expired or been revoked: make a new one (My Account → Security) and set it anew.",
      })
    }
    if (response.status === 403) {
      return fault({
        code: "SONAR-FORBIDDEN",
        kind: "errored",
        message: `SonarQube does not allow to ${call.to}`,
        reason: where,
        hint: "The token's user needs the permissions Execute Analysis and, for new projects, Create Projects.",
      })
    }
    return fault({
      code: "SONAR-REFUSED",
      kind: "errored",
      message: `SonarQube refused to ${call.to}`,
      reason: where,
      hint: `Open ${url} and look at the project's settings and permissions.`,
    })
  }

  return {
    url,
    signal: options.signal,
    async read(path, schema, call) {
      const response = await ask(path, call)
      if (!response.ok) throw await refused(response, path, call)
      const text = await readText(peer, response)
      return parseAnswer(text, schema, `${url}/${path}`, call)
    },
    async send(path, call) {
      const response = await ask(path, call)
      if (!response.ok) throw await refused(response, path, call)
      await discard(response)
    },
    async attempt(path, call) {
      const response = await ask(path, call)
      if (response.ok) return discard(response).then(() => undefined)
      if (response.status === 401 || response.status === 403 || response.status >= 500) {
        throw await refused(response, path, call)
      }
      return said4xx(await readText(peer, response)) || `HTTP ${response.status}`
    },
  }
}

function authorizationOf(credentials: SonarCredentials): string | undefined {
  if (credentials === undefined) return undefined
  if ("token" in credentials) return `Bearer ${credentials.token}`
  return `Basic ${Buffer.from(`${credentials.login}:${credentials.password}`).toString("base64")}`
}

/** The server's own words in a refusal; of a page (a proxy, a login form) its beginning. */
function said4xx(text: string): string {
  try {
    const parsed = Refusal.safeParse(JSON.parse(text))
    if (parsed.success) return parsed.data.errors.map((e) => e.msg).join(" ")
  } catch {
    // Not JSON: below.
  }
  return text
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, 200)
}

function parseAnswer<T>(text: string, schema: z.ZodType<T>, where: string, call: SonarCall): T {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw unexpected(where, call, `it is not JSON: ${text.trim().slice(0, 120)}`, cause)
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw unexpected(where, call, `${issue?.path.join(".") || "it"}: ${issue?.message ?? "not as expected"}`)
}

function unexpected(where: string, call: SonarCall, reason: string, cause?: unknown): Fault {
  return fault({
    code: "SONAR-ANSWER",
    kind: "errored",
    message: `The answer to the request to ${call.to} is not SonarQube's`,
    reason: `${where}: ${reason}`,
    hint: "Something else may answer at that address (a proxy, a login page, another version): open it in a browser.",
    cause,
  })
}
