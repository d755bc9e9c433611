import { fault } from "../core/errors.js"
import type { SecretSource } from "../core/secrets.js"
import type { AnyStep } from "../core/step.js"
import { bodyText } from "../net/http.js"
import { request, type Peer } from "../net/retry.js"
import type { CiRun, Env } from "./variables.js"

/** Whom the identity tokens that steps declare are for, by the secret's name. */
export type Audiences = ReadonlyMap<string, string>

/** A CI system makes one token of a name for a job. @throws CI-ID-TOKEN when two steps want it for somebody else each */
export function audiencesOf(steps: readonly Pick<AnyStep, "id" | "definition">[]): Audiences {
  const found = new Map<string, string>()
  for (const { id, definition } of steps) {
    for (const [name, audience = ""] of Object.entries(definition.idTokens ?? {})) {
      const other = found.get(name) ?? audience
      if (other !== audience) {
        throw fault({
          code: "CI-ID-TOKEN",
          kind: "usage",
          message: `${name} is for "${other}", and in step "${id}" for "${audience}"`,
          reason: "An identity token is for one audience, which is how whoever gets it knows that it was not stolen.",
          hint: "Give one of the two another name.",
        })
      }
      found.set(name, audience)
    }
  }
  return found
}

/**
 * Secrets, and the identity tokens that a CI system makes for a job. GitLab puts them into the environment (`id_tokens`,
 * https://docs.gitlab.com/ci/secrets/id_token_authentication/); GitHub is asked for each, with the token that a job of
 * `permissions: id-token: write` has (https://docs.github.com/actions/reference/security/oidc#methods-for-requesting-the-oidc-token).
 */
export function withIdTokens(
  source: SecretSource,
  env: Env,
  audiences: Audiences,
  ci: CiRun | undefined,
): SecretSource {
  return {
    async read(name) {
      const value = await source.read(name)
      const audience = audiences.get(name)
      if (value !== undefined || audience === undefined) return value
      const [url, token] = [env["ACTIONS_ID_TOKEN_REQUEST_URL"], await source.read("ACTIONS_ID_TOKEN_REQUEST_TOKEN")]
      return url === undefined || token === undefined ? undefined : askGithub(name, { url, token, audience })
    },
    whyMissing(name) {
      const audience = audiences.get(name)
      return audience === undefined ? source.whyMissing?.(name) : whyNone(name, audience, ci)
    },
  }
}

function whyNone(name: string, audience: string, ci: CiRun | undefined) {
  if (ci === undefined) {
    return {
      reason: `${name} is a token by which a job of a CI system proves to "${audience}" what it is; this is no such job.`,
      hint: `Leave its step out (\`--until\` the one before, or a condition: \`when\`), or export ${name} with a token of your own.`,
    }
  }
  const where = ci.host === "gitlab" ? "`id_tokens` of the job" : "`permissions: id-token: write` of the job"
  return {
    reason: `${ci.host === "gitlab" ? "GitLab" : "GitHub"} makes ${name} where the file says ${where}; the generated one does.`,
    hint: `gantry generate ${ci.host}, and commit the result.`,
  }
}

interface Asked {
  readonly url: string
  readonly token: string
  readonly audience: string
}

const github: Peer = {
  name: "GitHub's maker of identity tokens",
  code: "CI-ID-TOKEN",
  hint: "Nothing has been run. Start the job again.",
}

async function askGithub(name: string, { url, token, audience }: Asked): Promise<string> {
  const address = new URL(url)
  address.searchParams.set("audience", audience)
  const headers = { authorization: `bearer ${token}`, accept: "application/json" }
  const answer = await request(github, address, { headers })
  const text = await bodyText(answer, 100_000)
  const value = answer.ok ? valueIn(text) : undefined
  if (value !== undefined) return value
  throw fault({
    code: github.code,
    kind: "errored",
    message: `GitHub made no identity token ${name} for "${audience}"`,
    reason: `It answers ${answer.status}: ${text.slice(0, 200)}`,
    hint: github.hint,
  })
}

function valueIn(text: string): string | undefined {
  try {
    const { value } = JSON.parse(text) as { readonly value?: unknown }
    return typeof value === "string" && value !== "" ? value : undefined
  } catch {
    return undefined
  }
}
