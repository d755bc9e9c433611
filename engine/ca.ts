import { existsSync } from "node:fs"
import { fault } from "../core/errors.js"
import type { EngineConfig } from "./config.js"

/** Variables by which hosts say where their bundle is, in the order they are asked. */
const variables = [
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "REQUESTS_CA_BUNDLE",
  "CURL_CA_BUNDLE",
  "GIT_SSL_CAINFO",
  "PIP_CERT",
] as const

/**
 * Host path of the PEM bundle that this host trusts: `ca` of the configuration, else the usual variables.
 * `undefined` where the host names none: containers then trust what their images bring.
 * Errors: CONFIG-CA when the configured file does not exist.
 */
export function hostCa(config: EngineConfig, env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (config.ca !== undefined) {
    if (existsSync(config.ca)) return config.ca
    throw fault({
      code: "CONFIG-CA",
      kind: "usage",
      message: `The bundle of certificate authorities does not exist: ${config.ca}`,
      hint: "Correct `ca` in gantry.config.ts: the path of a PEM file.",
    })
  }
  for (const name of variables) {
    const path = env[name]
    if (path !== undefined && path !== "" && existsSync(path)) return path
  }
  return undefined
}

/** Where the bundle lies inside containers. Not under /usr/local/share/ca-certificates: that makes the engine slow. */
export const caInContainer = "/run/gantry/ca.pem"

/** Variables that make the tools in a container trust the bundle at `path`. */
export function caEnvironment(path: string = caInContainer): Record<string, string> {
  return {
    NODE_EXTRA_CA_CERTS: path,
    SSL_CERT_FILE: path,
    GIT_SSL_CAINFO: path,
    PIP_CERT: path,
    REQUESTS_CA_BUNDLE: path,
    CURL_CA_BUNDLE: path,
  }
}

/** Proxy variables of the host, handed on to what fetches in containers. */
export function proxyEnvironment(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const result: Record<string, string> = {}
  for (const name of ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"]) {
    const value = env[name]
    if (value !== undefined && value !== "") result[name] = value
  }
  return result
}
