import { z } from "zod"
import type { SonarSession } from "./session.js"

const SystemStatus = z.object({ id: z.string().optional(), version: z.string(), status: z.string() })
export type SystemStatus = z.infer<typeof SystemStatus>

/** State of the server: "UP" when it can be used, else STARTING, DB_MIGRATION_NEEDED … Needs no credentials. */
export function systemStatus(session: SonarSession): Promise<SystemStatus> {
  return session.read("api/system/status", SystemStatus, { to: "ask for its status" })
}

const Validation = z.object({ valid: z.boolean() })

/** Whether the session's credentials are good. */
export async function credentialsAreValid(session: SonarSession): Promise<boolean> {
  const { valid } = await session.read("api/authentication/validate", Validation, { to: "check the credentials" })
  return valid
}

/** Changes the password of a login. @throws SONAR-REFUSED with the server's rule that the new one breaks */
export function changePassword(
  session: SonarSession,
  change: { readonly login: string; readonly previous: string; readonly next: string },
): Promise<void> {
  return session.send("api/users/change_password", {
    method: "POST",
    params: { login: change.login, previousPassword: change.previous, password: change.next },
    to: `change the password of ${change.login}`,
  })
}

const Global = z.object({ edition: z.string().default("unknown"), version: z.string() })

/** "community", "developer", "enterprise" or "datacenter". Branches and pull requests need more than community. */
export async function edition(session: SonarSession): Promise<string> {
  return (await session.read("api/navigation/global", Global, { to: "ask for its edition" })).edition
}

const Token = z.object({ name: z.string(), token: z.string().min(1) })

/**
 * A token that can do nothing but analyse one project.
 * @param expires last day, YYYY-MM-DD, so that one which was not revoked does not live on
 */
export async function createToken(
  session: SonarSession,
  name: string,
  options: { readonly expires: string; readonly project: string },
): Promise<string> {
  const { token } = await session.read("api/user_tokens/generate", Token, {
    method: "POST",
    params: {
      name,
      type: "PROJECT_ANALYSIS_TOKEN",
      projectKey: options.project,
      expirationDate: options.expires,
    },
    to: "make a token for this run",
  })
  return token
}

/** Revokes a token by name; that there is none is fine. */
export function revokeToken(session: SonarSession, name: string): Promise<void> {
  return session.send("api/user_tokens/revoke", {
    method: "POST",
    params: { name },
    repeatable: true,
    to: "revoke the token of this run",
  })
}

const Tokens = z.object({ userTokens: z.array(z.object({ name: z.string() })) })

/** Names of the tokens of the session's user. */
export async function tokenNames(session: SonarSession): Promise<readonly string[]> {
  const { userTokens } = await session.read("api/user_tokens/search", Tokens, { to: "list the tokens" })
  return userTokens.map((token) => token.name)
}
