import { statfs } from "node:fs/promises"
import { join } from "node:path"
import { isFault } from "../core/errors.js"
import { discard, httpRequest } from "../net/http.js"
import { registryUrls } from "../net/registry/protocol.js"
import type { EngineConfig } from "./config.js"
import { engineContext, type ContextOptions, type EngineContext } from "./context.js"
import { daggerVersion } from "./dagger-version.js"
import { findCommand } from "./docker/apt.js"
import { dockerHost, dockerVersion, minimumApi } from "./docker/client.js"
import { runHost } from "./exec.js"
import { exists } from "./files.js"
import { allRecipes } from "./recipes/index.js"
import { cliVersion } from "./session/cli.js"
import { stackStatus, type ComponentStatus } from "./stack/manage.js"
import { hasImage, madeName } from "./supply/make.js"

/** One line of `gantry doctor`. */
export interface Finding {
  readonly id: string
  readonly title: string
  readonly area: "host" | "supply" | "stack" | "images"
  /** `absent` is nothing wrong: it is provided when it is needed. `unusable` is. */
  readonly state: "ok" | "absent" | "warning" | "unusable"
  readonly source: "host" | "mirror" | "registry" | "packages" | "external" | undefined
  readonly version: string | undefined
  /** What was found, one line. */
  readonly detail: string
  /** What to do about it, where something is to be done. */
  readonly hint: string | undefined
}

/** Free space below which builds and pulls are likely to fail, in bytes. */
const littleSpace = 10e9

/** Looks at every component: where it came from, its version, and what to do when it cannot be used. Changes nothing. */
export async function doctor(config: EngineConfig, options: ContextOptions = {}): Promise<Finding[]> {
  const context = engineContext(config, options)
  const docker = await dockerFinding(context)
  const up = docker.state === "ok"
  const groups = await Promise.all([
    [
      finding("node", "Node.js", "host", "ok", {
        source: "host",
        version: process.versions.node,
        detail: process.execPath,
      }),
    ],
    [await gitFinding()],
    [docker],
    [await space(context)],
    [ca(context)],
    [await cli(context)],
    await Promise.all(registries(config).map((registry) => registryFinding(context, registry))),
    up ? (await stackStatus(config, options)).map(component) : [],
    up ? await Promise.all(allRecipes.map((recipe) => image(context, recipe))) : [],
  ])
  return groups.flat()
}

function finding(
  id: string,
  title: string,
  area: Finding["area"],
  state: Finding["state"],
  rest: { readonly detail: string } & Partial<Finding>,
): Finding {
  return { source: undefined, version: undefined, hint: undefined, ...rest, id, title, area, state }
}

async function gitFinding(): Promise<Finding> {
  const ran = await runHost("git", ["--version"], { timeoutMs: 5000 })
  const version = /(\d+\.\d+[\w.]*)/.exec(ran.output)?.[1]
  return ran.exitCode === 0
    ? finding("git", "git", "host", "ok", { source: "host", version, detail: (await findCommand("git")) ?? "git" })
    : finding("git", "git", "host", "unusable", { detail: "not found", hint: "apt-get install git" })
}

async function dockerFinding(context: EngineContext): Promise<Finding> {
  const host = dockerHost(context.config)
  const found = await dockerVersion(context.docker)
  if (found !== undefined) {
    const old = Number(found.api.split(".")[1]) < Number(minimumApi.split(".")[1])
    return finding("docker", "Docker Engine", "host", old ? "unusable" : "ok", {
      source: "host",
      version: found.version,
      detail: `${host}, API ${found.api}`,
      hint: old ? `Gantry needs API ${minimumApi}: install a newer Docker Engine.` : undefined,
    })
  }
  const installed = (await findCommand("dockerd")) !== undefined
  const root = process.getuid?.() === 0
  return finding("docker", "Docker Engine", "host", root ? "absent" : "unusable", {
    detail: `${host} does not answer; dockerd is ${installed ? "installed" : "not installed"}`,
    hint: root
      ? "gantry stack up provides it."
      : "As root: apt-get install docker.io iptables, then: usermod -aG docker $USER",
  })
}

async function space(context: EngineContext): Promise<Finding> {
  const info = (await context.docker.info().catch(() => undefined)) as { DockerRootDir?: string } | undefined
  const places = [context.home, info?.DockerRootDir ?? "/var/lib/docker"]
  let least = Number.POSITIVE_INFINITY
  let where = context.home
  for (const place of places) {
    let folder = place
    while (!(await exists(folder)) && folder !== "/") folder = join(folder, "..")
    const stats = await statfs(folder).catch(() => undefined)
    if (stats === undefined) continue
    const free = stats.bavail * stats.bsize
    if (free < least) [least, where] = [free, place]
  }
  const detail = `${(least / 1e9).toFixed(0)} GB free for ${where}`
  return least < littleSpace
    ? finding("disk", "Disk space", "host", "warning", {
        detail,
        hint: "Everything together takes about 15 GB: free some space (docker system df).",
      })
    : finding("disk", "Disk space", "host", "ok", { detail })
}

function ca(context: EngineContext): Finding {
  return finding("ca", "Certificate authorities", "host", "ok", {
    source: "host",
    detail: context.ca ?? "the images' own; this host names no bundle (ca in gantry.config.ts)",
  })
}

async function cli(context: EngineContext): Promise<Finding> {
  const named = process.env["_EXPERIMENTAL_DAGGER_CLI_BIN"]
  const path = named !== undefined && named !== "" ? named : join(context.home, "bin", `dagger-v${daggerVersion}`)
  if (!(await exists(path))) {
    return finding("dagger-cli", "Dagger CLI", "stack", "absent", {
      detail: "not there yet",
      hint: "gantry stack up provides it.",
    })
  }
  const version = await cliVersion(path)
  return version === daggerVersion
    ? finding("dagger-cli", "Dagger CLI", "stack", "ok", { source: "host", version, detail: path })
    : finding("dagger-cli", "Dagger CLI", "stack", "unusable", {
        version,
        detail: `${path} is ${version ?? "not usable"}, expected is ${daggerVersion}`,
        hint: named === path ? "Unset _EXPERIMENTAL_DAGGER_CLI_BIN." : `rm ${path}`,
      })
}

/** Registries that images are looked for in: the mirrors' hosts, and the public ones that no mirror replaces. */
function registries(config: EngineConfig): readonly { readonly host: string; readonly mirror: boolean }[] {
  const mirrors = [
    ...new Set(Object.values(config.mirrors).map((target) => target.replace(/^https?:\/\//, "").split("/")[0] ?? "")),
  ]
  const open = [...new Set(allRecipes.map((recipe) => recipe.references[0]?.split("/")[0] ?? ""))].filter(
    (host) => host !== "" && !(host in config.mirrors),
  )
  return [
    ...mirrors.map((host) => ({ host, mirror: true })),
    ...(config.supply === "packages" ? [] : open.map((host) => ({ host, mirror: false }))),
  ]
}

async function registryFinding(context: EngineContext, registry: { host: string; mirror: boolean }): Promise<Finding> {
  const title = registry.mirror ? `Mirror ${registry.host}` : `Registry ${registry.host}`
  let last = ""
  for (const base of registryUrls(registry.host)) {
    try {
      const answer = await httpRequest(`${base}/v2/`, { ca: context.ca, timeoutMs: 5000 })
      await discard(answer)
      if (answer.status === 200 || answer.status === 401) {
        return finding(registry.host, title, "supply", "ok", { detail: `${base} answers` })
      }
      last = `${base} answers HTTP ${answer.status}`
    } catch (error) {
      last = error instanceof Error ? error.message : String(error)
    }
  }
  if (registry.mirror) {
    return finding(registry.host, title, "supply", "unusable", {
      detail: last,
      hint: "Correct `mirrors` in gantry.config.ts.",
    })
  }
  return context.config.supply === "images"
    ? finding(registry.host, title, "supply", "unusable", {
        detail: last,
        hint: 'Name a mirror (mirrors in gantry.config.ts), or set supply: "auto".',
      })
    : finding(registry.host, title, "supply", "absent", { detail: `${last}; images are made from packages` })
}

function component(status: ComponentStatus): Finding {
  const { id, title, source, version } = status
  const detail = [status.state, status.address, status.problem].filter((part) => part !== undefined).join(", ")
  const state = (
    { running: "ok", external: "ok", missing: "absent", stopped: "absent", unhealthy: "unusable" } as const
  )[status.state]
  const hint = {
    ok: undefined,
    absent: "gantry stack up starts it.",
    unusable: `Look at its log (docker logs), then: gantry stack down && gantry stack up`,
  }[state]
  return finding(id, title, "stack", state, { source, version, detail, hint })
}

async function image(context: EngineContext, recipe: (typeof allRecipes)[number]): Promise<Finding> {
  const reference = recipe.references[0] ?? ""
  try {
    const name = await madeName(context, recipe)
    return (await hasImage(context, name))
      ? finding(reference, recipe.provides, "images", "ok", { source: "packages", detail: name })
      : finding(reference, recipe.provides, "images", "absent", {
          detail: `not made here; stands in for ${reference}`,
          hint: undefined,
        })
  } catch (error) {
    return finding(reference, recipe.provides, "images", "unusable", {
      detail: isFault(error) ? error.message : String(error),
      hint: isFault(error) ? error.hint : undefined,
    })
  }
}
