import { join } from "node:path"
import { createToken, revokeToken, sonarSession, type SonarSession } from "../../clients/sonarqube/index.js"
import { isFault } from "../../core/errors.js"
import { noProgress, type Progress } from "../../core/progress.js"
import { ensureStack, homeOf, hostCa, sonarqubeAddress, sonarqubeAdmin, type EngineConfig } from "../../engine/index.js"

/** The server that judges, as a step sees it. */
export interface Server {
  readonly session: SonarSession
  /**
   * Of the stack's own, whose projects and gate Gantry looks after: the file whose lock a process holds while it changes what
   * the server has for all.
   */
  readonly own: { readonly lock: string } | undefined
  /** Address for people. */
  readonly url: string
  /** Address for the scanner's container, if it differs. */
  readonly internalUrl: string | undefined
  /** The token that was configured for a server of one's own: it will do where it may not make others. */
  readonly givenToken: string | undefined
}

/** Starts the stack's server, or goes to the configured one with its token. @throws STACK-…, SONAR-… */
export async function reachServer(
  engine: EngineConfig,
  token: string | undefined,
  signal: AbortSignal,
  progress: Progress = noProgress,
): Promise<Server> {
  const { url, internalUrl } = engine.sonarqube
  if (url !== undefined) {
    const credentials = token === undefined ? undefined : { token }
    const session = sonarSession({ url, credentials, signal, policy: { ca: hostCa(engine) } })
    return { session, own: undefined, url: session.url, internalUrl, givenToken: token }
  }
  await ensureStack(engine, ["sonarqube"], { signal, progress })
  const { login, password } = await sonarqubeAdmin(engine)
  const session = sonarSession({ url: sonarqubeAddress(engine), credentials: { login, password }, signal })
  const lock = join(homeOf(engine), "locks", `stack-${engine.stack}-sonarqube-gate.lock`)
  return { session, own: { lock }, url: session.url, internalUrl: undefined, givenToken: undefined }
}

export interface RunToken {
  readonly value: string
  /** Made for this run; to be revoked afterwards. */
  readonly temporary: boolean
}

/** Last day of a token's life if nobody revokes it, YYYY-MM-DD: the day after tomorrow, wherever the server's clock is. */
export function tokenExpiry(now: Date): string {
  return new Date(now.getTime() + 2 * 86_400_000).toISOString().slice(0, 10)
}

/**
 * A token for one run that can analyse this one project. What an interrupted attempt left under the name is revoked.
 * On a server of one's own whose token may not make others, that token itself serves.
 */
export async function openToken(server: Server, name: string, project: string, now: Date): Promise<RunToken> {
  try {
    await revokeToken(server.session, name)
    return { value: await createToken(server.session, name, { expires: tokenExpiry(now), project }), temporary: true }
  } catch (error) {
    const denied = isFault(error) && (error.code === "SONAR-FORBIDDEN" || error.code === "SONAR-REFUSED")
    if (denied && server.givenToken !== undefined) return { value: server.givenToken, temporary: false }
    throw error
  }
}
