import { createConnection } from "node:net"
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { caEnvironment, proxyEnvironment } from "../ca.js"
import { homeOf, registryAddress, type EngineConfig } from "../config.js"
import { daggerVersion, engineReference } from "../dagger-version.js"
import type { EngineContext } from "../context.js"
import { hashText, writeChanged } from "../files.js"
import type { Component } from "./component.js"
import { registry } from "./registry.js"

/** Folder on the host where the engine's socket appears. Short: a socket's path has 107 characters at most (unix(7)). */
export function engineSocket(config: EngineConfig): string {
  const folder = join(homeOf(config), "run", config.stack)
  const short =
    folder.length < 80 ? folder : join("/tmp", `gantry-${process.getuid?.() ?? 0}-${hashText(folder).slice(0, 12)}`)
  return join(short, "engine.sock")
}

/**
 * engine.toml (BuildKit's form) and engine.json (Dagger's own). The socket belongs to whoever runs Gantry; few network
 * namespaces are kept ready, which makes stopping quick; the stack's registry speaks plain http.
 */
export function engineFiles(config: EngineConfig): { readonly toml: string; readonly json: string } {
  const uid = process.getuid?.() ?? 0
  const gid = process.getgid?.() ?? 0
  return {
    toml: `[grpc]
  address = ["unix:///run/dagger/engine.sock"]
  uid = ${uid}
  gid = ${gid}

[worker.oci]
  cniPoolSize = 4
`,
    json: `${JSON.stringify({ registries: { [registryAddress(config)]: { http: true } } }, undefined, 2)}\n`,
  }
}

/** `undefined` when somebody listens on a Unix socket, else what is wrong. */
export async function listens(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(path)
    const timer = setTimeout(() => finish("the socket does not answer"), 2000)
    const finish = (missing: string | undefined): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(missing)
    }
    socket.on("connect", () => finish(undefined))
    socket.on("error", (error) => finish(error.message))
  })
}

/** Where the certificate authorities lie in the engine. Not where the engine would install them in every exec. */
const ca = "/etc/dagger/ca.pem"

export const daggerEngine: Component = {
  id: "engine",
  title: "Dagger engine",
  needs: (config) => (registry.external(config) === undefined ? ["registry"] : []),
  image: () => engineReference,
  expectedSeconds: 3,
  startSeconds: 60,
  external: (config) => config.dagger.runnerHost,
  spec: async (context: EngineContext) => {
    const { config, home } = context
    const folder = join(home, "stack", config.stack, "engine")
    const files = engineFiles(config)
    await writeChanged(join(folder, "engine.toml"), files.toml)
    await writeChanged(join(folder, "engine.json"), files.json)
    const socket = engineSocket(config)
    await mkdir(join(socket, ".."), { recursive: true })
    return {
      env: {
        DO_NOT_TRACK: "1",
        OTEL_SDK_DISABLED: "true",
        GANTRY_CONFIG_HASH: hashText(files.toml + files.json).slice(0, 12),
        ...proxyEnvironment(),
        ...(context.ca === undefined ? {} : { SSL_CERT_FILE: caEnvironment(ca)["SSL_CERT_FILE"] ?? ca }),
      },
      binds: [
        `${join(folder, "engine.toml")}:/etc/dagger/engine.toml:ro`,
        `${join(folder, "engine.json")}:/etc/dagger/engine.json:ro`,
        `${join(socket, "..")}:/run/dagger`,
        ...(context.ca === undefined ? [] : [`${context.ca}:${ca}:ro`]),
      ],
      volumes: { engine: "/var/lib/dagger" },
      ...(registry.external(config) === undefined ? { networkOf: "registry" } : {}),
      privileged: true,
      // After SIGKILL the engine wipes its cache, so it gets its time.
      stopSeconds: 60,
    }
  },
  health: ({ config }) => listens(engineSocket(config)),
  version: async (_context, running) => {
    const { output } = await running.exec(["dagger-engine", "--version"])
    return /v?(\d+\.\d+\.\d+[\w.-]*)/.exec(output)?.[1] ?? output.trim()
  },
  expectedVersion: daggerVersion,
  address: (config) => config.dagger.runnerHost ?? `unix://${engineSocket(config)}`,
}
