import type Docker from "dockerode"
import { canonicalJson, type Json } from "../../core/json.js"
import type { Drift } from "../views/drift.js"
import { shown } from "../views/secretive.js"
import type { instanceOptions } from "./instances.js"

type Options = ReturnType<typeof instanceOptions>
/** What @types/dockerode does not know of the Engine API's container. */
type HostConfig = Docker.HostConfig & { readonly PidsLimit?: number | null }

/**
 * What of an instance's container differs from how it was created. Pure.
 * @param image The image that the release names: what it says itself is no drift.
 * @param admitted It has traffic, so Docker has been told to start it again when it dies.
 */
export function instanceDrift(
  info: Docker.ContainerInspectInfo,
  image: Docker.ImageInspectInfo | undefined,
  expected: Options,
  admitted: boolean,
): readonly Drift[] {
  const what = info.Name.replace(/^\//, "")
  const found: Drift[] = []
  const same = (field: string, wanted: Json | undefined, is: Json | undefined) => {
    const [a, b] = [text(wanted), text(is)]
    if (a !== b) found.push({ what, field, expected: a, found: b })
  }
  const host = info.HostConfig as HostConfig
  const wanted = expected.HostConfig
  same("name", expected.name, what)
  if (!info.State.Running && !info.State.Restarting) {
    same("state", "running", `${info.State.Status} (exit code ${info.State.ExitCode})`)
  } else if (info.State.Paused) same("state", "running", "paused")
  same("image", expected.Image, info.Config.Image)
  if (image !== undefined) {
    same("image's id", image.Id, info.Image)
    same("command", list(image.Config.Entrypoint, image.Config.Cmd), list(info.Config.Entrypoint, info.Config.Cmd))
    same("user", image.Config.User ?? "", info.Config.User)
  }
  found.push(...variableDrift(what, expected.Env, image?.Config.Env ?? [], info.Config.Env))
  const restart = host.RestartPolicy?.Name ?? "no"
  // One that left the traffic was admitted before: both are right.
  if (admitted || restart !== "no") same("restart policy", "unless-stopped", restart === "" ? "no" : restart)
  same("memory", wanted.Memory ?? 0, host.Memory ?? 0)
  same("memory with swap", wanted.MemorySwap ?? 0, host.MemorySwap ?? 0)
  same("cores", wanted.NanoCpus ?? 0, host.NanoCpus ?? 0)
  same("processor share", 0, host.CpuShares ?? 0)
  same("processor quota", 0, host.CpuQuota ?? 0)
  same("processors", "", host.CpusetCpus ?? "")
  same("limit of processes", 0, Math.max(0, host.PidsLimit ?? 0))
  same("mounts", [...(wanted.Binds ?? [])].sort(), [...(host.Binds ?? [])].sort())
  same("privileged", false, host.Privileged ?? false)
  same("security options", wanted.SecurityOpt ?? [], host.SecurityOpt ?? [])
  same(
    "networks",
    Object.keys(expected.NetworkingConfig.EndpointsConfig),
    Object.keys(info.NetworkSettings.Networks).sort(),
  )
  for (const [name, { IPAMConfig }] of Object.entries(expected.NetworkingConfig.EndpointsConfig)) {
    const is = info.NetworkSettings.Networks[name]
    if (is !== undefined && info.State.Running) same("address", IPAMConfig.IPv4Address, is.IPAddress)
  }
  return found
}

/** Values of secrets are compared and never shown. */
function variableDrift(
  what: string,
  expected: readonly string[],
  image: readonly string[],
  found: readonly string[],
): readonly Drift[] {
  const wanted = new Map([...image, ...expected].map(split))
  const is = new Map(found.map(split))
  return [...new Set([...wanted.keys(), ...is.keys()])].sort().flatMap((name) => {
    const [a, b] = [wanted.get(name), is.get(name)]
    return a === b
      ? []
      : [{ what, field: `variable ${name}`, expected: shown(name, a) ?? "none", found: shown(name, b) ?? "none" }]
  })
}

function split(assignment: string): [string, string] {
  const at = assignment.indexOf("=")
  return at < 0 ? [assignment, ""] : [assignment.slice(0, at), assignment.slice(at + 1)]
}

const list = (...parts: readonly (string | readonly string[] | null | undefined)[]): string[] =>
  parts.flatMap((part) => (part === null || part === undefined ? [] : typeof part === "string" ? [part] : [...part]))

function text(value: Json | undefined): string {
  if (value === undefined || value === "") return "none"
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.join(" ")
  return typeof value === "object" ? canonicalJson(value) : String(value)
}
