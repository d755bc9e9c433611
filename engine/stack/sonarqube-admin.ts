import { randomBytes } from "node:crypto"
import { link, readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import { z } from "zod"
import { fault } from "../../core/errors.js"
import { httpRequest } from "../../net/http.js"
import { basicHeader } from "../../net/registry/auth.js"
import { homeOf, type EngineConfig } from "../config.js"
import { writeAtomic } from "../files.js"

/** The administrator of the stack's own SonarQube, as the Gantry home keeps it. Readable by its owner alone. */
const Admin = z.object({
  login: z.string(),
  password: z.string().min(1),
  /** Id of the server whose initial password was replaced by it. Absent: not known to have happened yet. */
  server: z.string().optional(),
})
export type SonarqubeAdmin = z.infer<typeof Admin>

/** What every new SonarQube starts with; used once, to replace it. */
const initial = { login: "admin", password: "admin" } as const

export function sonarqubeAdminFile(config: EngineConfig): string {
  return join(homeOf(config), "state", config.stack, "sonarqube-admin.json")
}

export function sonarqubeAddress(config: EngineConfig): string {
  return `http://127.0.0.1:${config.ports.sonarqube}`
}

/**
 * The administrator of the stack's own SonarQube.
 * @throws STACK-SONARQUBE-PASSWORD when there is no record of it: the stack has not been started
 */
export async function sonarqubeAdmin(config: EngineConfig): Promise<SonarqubeAdmin> {
  const admin = await readAdmin(config)
  if (admin !== undefined) return admin
  throw fault({
    code: "STACK-SONARQUBE-PASSWORD",
    kind: "errored",
    message: "The password of the local SonarQube is not known",
    reason: `${sonarqubeAdminFile(config)} does not exist.`,
    hint: "gantry stack up sonarqube",
  })
}

async function readAdmin(config: EngineConfig): Promise<SonarqubeAdmin | undefined> {
  const file = sonarqubeAdminFile(config)
  let text: string
  try {
    text = await readFile(file, "utf8")
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw error
  }
  try {
    return Admin.parse(JSON.parse(text))
  } catch (cause) {
    throw fault({
      code: "STACK-SONARQUBE-PASSWORD",
      kind: "errored",
      message: "The password of the local SonarQube cannot be read",
      reason: `${file} is not the JSON that Gantry wrote.`,
      hint: 'Put {"login":"admin","password":"…"} there, or start anew without its data: gantry stack down --volumes',
      cause,
    })
  }
}

/**
 * Replaces the password that every new SonarQube has. The new one is on the disk before the server hears of it, so
 * whatever is interrupted, one of the two is valid and the next call finishes the work. Costs no request once it is done.
 * @param server the server's id: a new one (its data was thrown away) has the initial password again
 * @throws STACK-SONARQUBE-PASSWORD when neither is valid: the server's data is of another Gantry home
 */
export async function secureSonarqube(
  config: EngineConfig,
  server: string,
  options: { readonly url?: string; readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const url = options.url ?? sonarqubeAddress(config)
  const admin = (await readAdmin(config)) ?? (await recordAdmin(config))
  if (admin.server === server) return
  if (!(await isValid(url, admin, options.signal))) await replaceInitial(config, url, admin, options.signal)
  await writeAtomic(sonarqubeAdminFile(config), `${JSON.stringify({ ...admin, server })}\n`, 0o600)
}

async function replaceInitial(
  config: EngineConfig,
  url: string,
  admin: SonarqubeAdmin,
  signal: AbortSignal | undefined,
): Promise<void> {
  const answer = await httpRequest(`${url}/api/users/change_password`, {
    method: "POST",
    headers: { authorization: basic(initial) },
    // In the body: an address would stand in the server's access log.
    body: new URLSearchParams({ login: admin.login, previousPassword: initial.password, password: admin.password }),
    signal,
  })
  const said = answer.ok ? "" : (await answer.text()).slice(0, 300)
  // Another process may have been quicker with the same password.
  if (await isValid(url, admin, signal)) return
  throw fault({
    code: "STACK-SONARQUBE-PASSWORD",
    kind: "errored",
    message:
      answer.status === 401
        ? "The local SonarQube has a password that Gantry does not know"
        : "The initial password of the local SonarQube could not be replaced",
    reason:
      answer.status === 401
        ? `Neither the one in ${sonarqubeAdminFile(config)} nor the initial one is valid: its data may be of another Gantry home.`
        : `It answered ${answer.status}: ${said}`,
    hint: "Write the password into that file, or start anew without its data: gantry stack down --volumes && gantry stack up",
  })
}

/** Two processes that come at once agree on one password: the first to link its file wins, the other reads it. */
async function recordAdmin(config: EngineConfig): Promise<SonarqubeAdmin> {
  // SonarQube demands lower and upper case, a digit, a special character and at least 12 characters.
  const admin: SonarqubeAdmin = { login: initial.login, password: `${randomBytes(24).toString("base64url")}-aZ9` }
  const file = sonarqubeAdminFile(config)
  const own = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`
  await writeAtomic(own, `${JSON.stringify(admin)}\n`, 0o600)
  try {
    await link(own, file)
    return admin
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
    return (await readAdmin(config)) ?? admin
  } finally {
    await rm(own, { force: true })
  }
}

async function isValid(
  url: string,
  admin: Pick<SonarqubeAdmin, "login" | "password">,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const answer = await httpRequest(`${url}/api/authentication/validate`, {
    headers: { authorization: basic(admin) },
    signal,
  })
  return answer.ok && z.object({ valid: z.boolean() }).parse(await answer.json()).valid
}

const basic = (admin: Pick<SonarqubeAdmin, "login" | "password">): string =>
  basicHeader({ username: admin.login, password: admin.password })
