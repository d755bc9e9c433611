import { readFile } from "node:fs/promises"
import { homedir } from "node:os"
import { join, resolve } from "node:path"
import { fault } from "../../core/errors.js"
import { environmentSecrets } from "../../core/secrets.js"
import { proxyEnvironment } from "../ca.js"
import type { EngineContext } from "../context.js"
import { exists } from "../files.js"
import { truststoreFile, truststorePassword } from "../truststore.js"

/** What a Maven in a container is given of this host. */
export interface MavenHost {
  readonly arguments: readonly string[]
  /** Options of the Java machine itself. */
  readonly jvm: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly binds: readonly string[]
}

const inContainer = "/run/gantry"

/**
 * The user's Maven settings with the variables that they read, the key file of encrypted passwords, the host's
 * certificate authorities, and its proxies. Proxies of the settings go before those of the environment.
 * Errors: CONFIG-MAVEN when the configured file does not exist.
 */
export async function mavenHost(context: EngineContext, env: NodeJS.ProcessEnv = process.env): Promise<MavenHost> {
  const settings = await settingsFile(context.config.maven.settings)
  const security = join(homedir(), ".m2", "settings-security.xml")
  const secured = settings !== undefined && (await exists(security))
  const truststore = context.ca === undefined ? undefined : truststoreFile(context.home, context.ca)
  return {
    arguments: [
      ...(settings === undefined ? [] : ["--settings", `${inContainer}/settings.xml`]),
      ...(secured ? [`-Dsettings.security=${inContainer}/settings-security.xml`] : []),
      ...proxyProperties(proxyEnvironment(env)),
    ],
    jvm:
      truststore === undefined
        ? []
        : [
            `-Djavax.net.ssl.trustStore=${inContainer}/truststore.jks`,
            `-Djavax.net.ssl.trustStorePassword=${truststorePassword}`,
          ],
    env: settings === undefined ? {} : await variablesOf(await readFile(settings, "utf8"), env),
    binds: [
      ...(settings === undefined ? [] : [`${settings}:${inContainer}/settings.xml:ro`]),
      ...(secured ? [`${security}:${inContainer}/settings-security.xml:ro`] : []),
      ...(truststore === undefined ? [] : [`${truststore}:${inContainer}/truststore.jks:ro`]),
    ],
  }
}

async function settingsFile(configured: string | undefined): Promise<string | undefined> {
  const path = configured !== undefined ? resolve(configured) : join(homedir(), ".m2", "settings.xml")
  if (await exists(path)) return path
  if (configured === undefined) return undefined
  throw fault({
    code: "CONFIG-MAVEN",
    kind: "usage",
    message: `Maven's settings do not exist: ${configured}`,
    hint: "Correct `engine.maven.settings` in gantry.config.ts: the path of a settings.xml.",
  })
}

/** The variables that settings read as `${env.NAME}`, as far as the host has them: there lie passwords, mostly. */
export async function variablesOf(settings: string, env: NodeJS.ProcessEnv): Promise<Record<string, string>> {
  const names = [...settings.matchAll(/\$\{env\.([A-Za-z_]\w*)\}/g)].map((match) => match[1] ?? "")
  // Also what was taken out of the environment before steps ran: GitLab's registry of packages takes the job's token.
  const secrets = environmentSecrets(env)
  const found: Record<string, string> = {}
  for (const name of new Set(names)) {
    const value = env[name] ?? (await secrets.read(name))
    if (value !== undefined) found[name] = value
  }
  return found
}

/**
 * Java knows proxies as properties, not as variables. Maven's resolver heeds them only when told so.
 * https://docs.oracle.com/en/java/javase/21/core/java-networking.html
 */
export function proxyProperties(variables: Readonly<Record<string, string>>): string[] {
  const valueOf = (name: string): string | undefined => variables[name] ?? variables[name.toUpperCase()]
  const result = ["http", "https"].flatMap((scheme) => {
    const value = valueOf(`${scheme}_proxy`)
    const address = value === undefined || /^https?:\/\//i.test(value) ? value : `http://${value}`
    if (address === undefined || !URL.canParse(address)) return []
    const { hostname, port, protocol, username, password } = new URL(address)
    const login =
      username === "" ? {} : { proxyUser: decodeURIComponent(username), proxyPassword: decodeURIComponent(password) }
    const properties = { proxyHost: hostname, proxyPort: port || (protocol === "https:" ? "443" : "80"), ...login }
    return Object.entries(properties).map(([name, text]) => `-D${scheme}.${name}=${text}`)
  })
  if (result.length === 0) return []
  const direct = nonProxyHosts(valueOf("no_proxy") ?? "")
  return [...result, `-Dhttp.nonProxyHosts=${direct}`, "-Daether.connector.http.useSystemProperties=true"]
}

/** "example.com" and ".example.com" are a domain with all its hosts; ranges of addresses Java has no way to say. */
function nonProxyHosts(list: string): string {
  const hosts = list
    .split(",")
    .map((entry) => entry.trim().replace(/:\d+$/, ""))
    .filter((entry) => entry !== "" && !entry.includes("/"))
    .flatMap((entry) => {
      const domain = entry.replace(/^\*?\./, "")
      return entry === "*" ? ["*"] : [domain, `*.${domain}`]
    })
  // Java's own default, which a value of one's own replaces.
  return [...new Set(["localhost", "127.*", "[::1]", ...hosts])].join("|")
}
