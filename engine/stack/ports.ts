import { readFile, readdir, readlink } from "node:fs/promises"
import { createServer } from "node:net"
import { fault } from "../../core/errors.js"
import type { EngineContext } from "../context.js"

/** Whether nobody listens on a port of loopback: tried by listening there. */
export async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once("error", () => resolve(false))
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** Who listens on a port, as far as this user can tell: a container, or a process with its pid. */
export async function holderOf(context: EngineContext, port: number): Promise<string | undefined> {
  const containers = await context.docker.listContainers().catch(() => [])
  const container = containers.find((one) => one.Ports.some((published) => published.PublicPort === port))
  if (container !== undefined) return `the container ${container.Names[0]?.slice(1) ?? container.Id.slice(0, 12)}`
  return processOn(port)
}

/** The process behind a listening socket: /proc/net/tcp names the socket's inode, /proc/<pid>/fd who has it (proc(5)). */
async function processOn(port: number): Promise<string | undefined> {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0")
  const inodes = new Set<string>()
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of (await readFile(table, "utf8").catch(() => "")).split("\n").slice(1)) {
      const fields = line.trim().split(/\s+/)
      if (fields[3] === "0A" && fields[1]?.endsWith(`:${wanted}`) === true && fields[9] !== undefined)
        inodes.add(fields[9])
    }
  }
  if (inodes.size === 0) return undefined
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1]
      if (inode !== undefined && inodes.has(inode)) {
        const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")
        return `${name.trim() || "a process"} (pid ${pid})`
      }
    }
  }
  return undefined
}

/** The name under which the configuration has a port, for the hint. */
function optionOf(context: EngineContext, port: number): string {
  const name = Object.entries(context.config.ports).find(([, value]) => value === port)?.[0] ?? "registry"
  return `ports: { ${name}: <another> }`
}

/** The fault of a port that somebody else holds, `undefined` when `message` (of the Docker Engine) is about something else. */
export async function portFault(
  context: EngineContext,
  ports: readonly number[],
  message: string,
): Promise<Error | undefined> {
  if (!/port is already allocated|address already in use|bind for/i.test(message)) return undefined
  for (const port of ports) if (!(await isFree(port))) return inUse(context, port)
  return inUse(context, ports[0] ?? 0)
}

/** Errors: STACK-PORT-IN-USE when somebody else listens on one of the ports. */
export async function checkPorts(context: EngineContext, ports: readonly number[]): Promise<void> {
  for (const port of ports) if (!(await isFree(port))) throw await inUse(context, port)
}

async function inUse(context: EngineContext, port: number): Promise<Error> {
  const holder = await holderOf(context, port)
  return fault({
    code: "STACK-PORT-IN-USE",
    kind: "errored",
    message: `Port ${port} on 127.0.0.1 is in use`,
    reason: holder === undefined ? "Who holds it cannot be told; root sees more." : `${holder} listens there.`,
    hint: `Stop that, or choose another port in gantry.config.ts: ${optionOf(context, port)}`,
  })
}
