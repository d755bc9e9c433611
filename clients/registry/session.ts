import { z } from "zod"
import { fault } from "../../core/errors.js"
import { discard, type Response } from "../../net/http.js"
import { basicHeader, bearerHeader, parseChallenge, tokenUrl, type Credentials } from "../../net/registry/auth.js"
import { isLoopback } from "../../net/registry/protocol.js"
import { readJson, readText, request, type HttpPolicy, type Peer, type RepeatableRequest } from "../../net/retry.js"

export interface RegistryOptions {
  /** Base address: `http://127.0.0.1:5000`, `https://harbor.example`. Plain http for loopback alone. */
  readonly url: string
  readonly credentials?: Credentials | undefined
  readonly policy?: HttpPolicy | undefined
  readonly signal?: AbortSignal | undefined
}

/** Requests to one repository of a registry, with credentials as the registry asks for them. */
export interface RegistrySession {
  readonly host: string
  readonly peer: Peer
  /** A function finds the address anew for each attempt. */
  send(path: string | (() => Promise<URL>), init?: RepeatableRequest): Promise<Response>
  /** The fault that a refusal or an unexpected answer means; reads the body. */
  refused(response: Response, what: string): Promise<Error>
}

const Errors = z.object({ errors: z.array(z.object({ code: z.string(), message: z.string().optional() })) })

/** @throws REGISTRY-INSECURE for plain http beyond loopback */
export function registrySession(options: RegistryOptions, repository: string): RegistrySession {
  const base = new URL(options.url)
  if (base.protocol === "http:" && !isLoopback(base.hostname)) throw insecure(base)
  const peer: Peer = {
    name: `The registry ${base.host}`,
    code: "REGISTRY-UNAVAILABLE",
    hint: `Check that it is up (curl ${base.origin}/v2/; \`gantry doctor\` for the stack's own), then \`gantry resume\` the run.`,
  }
  const scope = `repository:${repository}:pull,push`
  let authorization: string | undefined

  const answer = async (challengeHeader: string | null): Promise<string | undefined> => {
    const challenge = parseChallenge(challengeHeader)
    if (challenge === undefined) return undefined
    if (challenge.scheme === "basic") {
      return options.credentials === undefined ? undefined : basicHeader(options.credentials)
    }
    const url = new URL(tokenUrl(challenge, scope))
    if (url.protocol === "http:" && !isLoopback(url.hostname)) throw insecure(url)
    const headers = options.credentials === undefined ? {} : { authorization: basicHeader(options.credentials) }
    const response = await request(peer, url, { headers, signal: options.signal }, options.policy)
    if (!response.ok) throw await refused(response, "give a token")
    return bearerHeader(await readJson(peer, response))
  }

  const send: RegistrySession["send"] = async (path, init = {}) => {
    for (let round = 1; ; round++) {
      let used: string | undefined
      const target = async () => {
        const url = typeof path === "function" ? await path() : new URL(path, base)
        // An upload's address may be on another host: that one gets no credentials of ours.
        used = url.origin === base.origin ? authorization : undefined
        return { url, ...(used === undefined ? {} : { headers: { authorization: used } }) }
      }
      const response = await request(peer, target, { ...init, signal: options.signal }, options.policy)
      const ours = new URL(response.url).origin === base.origin
      if (response.status !== 401 || !ours || round === 4) return response
      // No credentials yet, or a token that ran out (Harbor's live 30 minutes). Another request may have renewed it.
      if (used === authorization) {
        const given = await answer(response.headers.get("www-authenticate"))
        if (given === undefined || given === used) return response
        authorization = given
      }
      await discard(response)
    }
  }

  const refused: RegistrySession["refused"] = async (response, what) => {
    const text = await readText(peer, response)
    const said = registryErrors(text) ?? text.replace(/\s+/g, " ").trim().slice(0, 300)
    const reason = `${base.host} answered ${response.status}${said === "" ? "" : `: ${said}`}`
    if (response.status === 401 || response.status === 403) {
      return fault({
        code: "REGISTRY-DENIED",
        kind: "usage",
        message: `The registry ${base.host} refuses to ${what} (${repository})`,
        reason,
        hint:
          options.credentials === undefined
            ? "Configure credentials: engine.registry.harbor.username and passwordEnv in gantry.config.ts."
            : `Check that "${options.credentials.username}" exists, has not expired and may push to ${repository}; a Harbor robot's full name is robot$project+name.`,
      })
    }
    if (/immutable/i.test(said)) {
      return fault({
        code: "REGISTRY-IMMUTABLE",
        kind: "failed",
        message: `The registry ${base.host} refuses to ${what}: ${repository} has a rule that this tag never changes`,
        reason,
        hint: "Deliver a new commit, or look at the immutability rules of the project in Harbor.",
      })
    }
    if (response.status === 412) {
      return fault({
        code: "REGISTRY-POLICY",
        kind: "failed",
        message: `The registry ${base.host} refuses to ${what}: a policy of ${repository} forbids it`,
        reason,
        hint: "In Harbor: the project's configuration (prevent vulnerable images, signatures) and its quota.",
      })
    }
    return fault({
      code: "REGISTRY-REFUSED",
      kind: "errored",
      message: `The registry ${base.host} could not ${what} (${repository})`,
      reason,
      hint: peer.hint,
    })
  }
  return { host: base.host, peer, send, refused }
}

/** `{ errors: [{ code, message }] }`, Harbor's and the distribution specification's way. */
function registryErrors(text: string): string | undefined {
  try {
    const parsed = Errors.safeParse(JSON.parse(text))
    if (!parsed.success) return undefined
    return parsed.data.errors.map((e) => [e.code, e.message].filter(Boolean).join(" ")).join("; ")
  } catch {
    return undefined
  }
}

function insecure(url: URL) {
  return fault({
    code: "REGISTRY-INSECURE",
    kind: "usage",
    message: `The registry ${url.host} is configured with plain http`,
    reason: "Images and credentials would travel unprotected. Plain http is for loopback alone.",
    hint: `Use https://${url.host}; for a private certificate authority set \`ca\` in gantry.config.ts.`,
  })
}
