import { discard, httpRequest } from "../../net/http.js"
import { registryAddress } from "../config.js"
import type { Component } from "./component.js"

/**
 * The OCI registry: stand-in for Harbor, and the place from which the Dagger engine pulls what was made from packages.
 * It listens on the same port inside and outside, because the engine shares its network: both say 127.0.0.1:<port>.
 */
export const registry: Component = {
  id: "registry",
  title: "OCI registry",
  needs: () => [],
  image: () => "docker.io/library/registry:2",
  expectedSeconds: 1,
  startSeconds: 30,
  external: (config) =>
    config.registry.harbor !== undefined && config.supply === "images" ? config.registry.harbor.url : undefined,
  spec: ({ config }) =>
    Promise.resolve({
      env: {
        REGISTRY_HTTP_ADDR: `:${config.ports.registry}`,
        REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: "/var/lib/registry",
        REGISTRY_STORAGE_DELETE_ENABLED: "true",
        OTEL_TRACES_EXPORTER: "none",
      },
      volumes: { registry: "/var/lib/registry" },
      ports: { [config.ports.registry]: config.ports.registry },
      stopSeconds: 5,
    }),
  health: async ({ config }) => {
    try {
      const answer = await httpRequest(`http://${registryAddress(config)}/v2/`, { timeoutMs: 2000 })
      await discard(answer)
      return answer.status === 200 ? undefined : `answers HTTP ${answer.status}`
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  },
  version: async (_context, running) => {
    const { output } = await running.exec(["sh", "-c", "docker-registry --version 2>/dev/null || registry --version"])
    return /v?(\d+\.\d+[\w.+~-]*)/.exec(output)?.[1] ?? output.trim()
  },
  address: (config) => `http://${registryAddress(config)}`,
}
