import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import type Docker from "dockerode"
import { within } from "../../core/within.js"
import type { EngineConfig } from "../config.js"

/** Loaded when it is needed: `gantry plan` and `gantry generate` ask no Docker Engine, and would wait for it to load. */
const load = createRequire(import.meta.url)

/** Lowest Docker Engine API that everything here works with (Docker Engine 20.10). */
export const minimumApi = "1.41"

/** Where the Docker Engine is asked: `unix:///var/run/docker.sock` unless the configuration or DOCKER_HOST say otherwise. */
export function dockerHost(config: EngineConfig, env: NodeJS.ProcessEnv = process.env): string {
  return config.docker.host ?? (env["DOCKER_HOST"] || "unix:///var/run/docker.sock")
}

/** Options of dockerode for an address as DOCKER_HOST has it. Paths without an API version: the daemon then serves its own. */
export function dockerOptions(host: string, env: NodeJS.ProcessEnv = process.env): Docker.DockerOptions {
  if (host.startsWith("unix://")) return { socketPath: host.slice("unix://".length) }
  const url = new URL(host.replace(/^tcp:/, "http:"))
  const certificates = env["DOCKER_CERT_PATH"]
  const tls = env["DOCKER_TLS_VERIFY"] !== undefined && env["DOCKER_TLS_VERIFY"] !== "" && certificates !== undefined
  return {
    host: url.hostname,
    port: Number(url.port || (tls ? 2376 : 2375)),
    protocol: tls || url.protocol === "https:" ? "https" : "http",
    ...(tls
      ? {
          ca: readFileSync(`${certificates}/ca.pem`),
          cert: readFileSync(`${certificates}/cert.pem`),
          key: readFileSync(`${certificates}/key.pem`),
        }
      : {}),
  }
}

/** A client of the configured Docker Engine. Nothing is asked yet. */
export function dockerClient(config: EngineConfig): Docker {
  const Client = load("dockerode") as new (options: Docker.DockerOptions) => Docker
  return new Client(dockerOptions(dockerHost(config)))
}

export interface DockerVersion {
  readonly version: string
  readonly api: string
}

/** dockerode takes an abort signal here, which its types do not say. */
function withAbort(docker: Docker, timeoutMs: number): Promise<Docker.DockerVersion> {
  const ask = docker.version.bind(docker) as unknown as (options: object) => Promise<Docker.DockerVersion>
  return within(timeoutMs, undefined, (abortSignal) => ask({ abortSignal }))
}

/** The version of the engine that answers, `undefined` when none does within `timeoutMs`. */
export async function dockerVersion(docker: Docker, timeoutMs = 5000): Promise<DockerVersion | undefined> {
  try {
    const answer = await withAbort(docker, timeoutMs)
    return { version: answer.Version, api: answer.ApiVersion }
  } catch {
    return undefined
  }
}
