import { homedir } from "node:os"
import { join } from "node:path"
import type { Credentials } from "../../net/registry/auth.js"
import { readJson } from "../files.js"

interface DockerConfig {
  readonly auths?: Readonly<Record<string, { readonly auth?: string; readonly identitytoken?: string }>>
  readonly credsStore?: string
  readonly credHelpers?: Readonly<Record<string, string>>
}

/**
 * Credentials of a registry as `docker login` keeps them: in $DOCKER_CONFIG or ~/.docker/config.json, or with a helper
 * that it names (protocol: docker/docker-credential-helpers). `undefined` for an anonymous visitor.
 */
export async function credentialsFor(
  registry: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Credentials | undefined> {
  const path = join(env["DOCKER_CONFIG"] ?? join(homedir(), ".docker"), "config.json")
  const config = (await readJson(path)) as DockerConfig | undefined
  if (config === undefined) return undefined
  const names =
    registry === "docker.io" ? ["https://index.docker.io/v1/", "docker.io"] : [registry, `https://${registry}`]
  for (const name of names) {
    const auth = config.auths?.[name]?.auth
    if (auth !== undefined && auth !== "") {
      const text = Buffer.from(auth, "base64").toString("utf8")
      const colon = text.indexOf(":")
      return { username: text.slice(0, colon), password: text.slice(colon + 1) }
    }
    const helper = config.credHelpers?.[name] ?? config.credsStore
    if (helper !== undefined && /^[\w-]+$/.test(helper)) {
      const { execa } = await import("execa")
      const ran = await execa(`docker-credential-${helper}`, ["get"], { input: name, reject: false, timeout: 10_000 })
      if (ran.exitCode !== 0 || typeof ran.stdout !== "string") continue
      const answer = JSON.parse(ran.stdout) as { Username: string; Secret: string }
      return { username: answer.Username, password: answer.Secret }
    }
  }
  return undefined
}
