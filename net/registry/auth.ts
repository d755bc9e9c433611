import { z } from "zod"

/** A registry's way of asking for credentials. https://distribution.github.io/distribution/spec/auth/token/ */
export type Challenge =
  | { readonly scheme: "basic" }
  | {
      readonly scheme: "bearer"
      readonly realm: string
      readonly service: string | undefined
      readonly scope: string | undefined
    }

/** Parses `WWW-Authenticate`; undefined for a scheme that is not known. */
export function parseChallenge(header: string | null): Challenge | undefined {
  const match = /^\s*(basic|bearer)\b\s*(.*)$/i.exec(header ?? "")
  if (match === null) return undefined
  if (match[1]?.toLowerCase() === "basic") return { scheme: "basic" }
  const parameters = new Map<string, string>()
  for (const [, name = "", quoted, plain] of (match[2] ?? "").matchAll(
    /([a-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/gi,
  )) {
    parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, "$1") ?? plain ?? "")
  }
  const realm = parameters.get("realm")
  if (realm === undefined || !URL.canParse(realm)) return undefined
  return { scheme: "bearer", realm, service: parameters.get("service"), scope: parameters.get("scope") }
}

export interface Credentials {
  readonly username: string
  readonly password: string
}

export function basicHeader({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}`
}

/** Where to ask for a token with the rights that `scope` names: "repository:shop/catalog:pull,push". */
export function tokenUrl(challenge: Extract<Challenge, { scheme: "bearer" }>, scope: string): string {
  const url = new URL(challenge.realm)
  if (challenge.service !== undefined) url.searchParams.set("service", challenge.service)
  url.searchParams.set("scope", scope)
  return url.toString()
}

const Token = z.object({ token: z.string().optional(), access_token: z.string().optional() })

/** The `Authorization` header of a token server's answer, undefined when there is no token in it. @throws when it is no JSON object */
export function bearerHeader(answer: unknown): string | undefined {
  const { token, access_token: other } = Token.parse(answer)
  const value = token ?? other
  return value === undefined ? undefined : `Bearer ${value}`
}
