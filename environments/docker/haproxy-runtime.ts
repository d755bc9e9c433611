import { open } from "node:fs/promises"
import { createConnection } from "node:net"
import { basename, dirname } from "node:path"
import { fault } from "../../core/errors.js"
import { serverName, type BalancerModel } from "./haproxy-config.js"

/** The kernel's limit on a socket's path, less one (unix(7)). */
const longestSocketPath = 107

/**
 * Sends commands over HAProxy's Unix socket and answers what it says ("" where it has nothing to say).
 * Source: HAProxy 3.0 management guide, 9.3. @throws ENV-BALANCER-SILENT
 */
export async function haproxyCommand(socket: string, commands: readonly string[]): Promise<string> {
  // A long path is reached through an open handle of its folder.
  const folder = socket.length > longestSocketPath ? await open(dirname(socket), "r") : undefined
  const path = folder === undefined ? socket : `/proc/self/fd/${folder.fd}/${basename(socket)}`
  try {
    return await new Promise<string>((resolve, reject) => {
      const connection = createConnection(path)
      let answer = ""
      connection.setEncoding("utf8")
      connection.setTimeout(5000, () => connection.destroy(new Error("no answer within 5 s")))
      connection.on("data", (chunk: string) => (answer += chunk))
      connection.on("error", reject)
      connection.on("end", () => resolve(answer.trim()))
      connection.write(`${commands.join(";")}\n`)
    })
  } catch (cause) {
    throw silent(socket, (cause as Error).message, cause)
  } finally {
    await folder?.close()
  }
}

function silent(socket: string, why: string, cause?: unknown) {
  return fault({
    code: "ENV-BALANCER-SILENT",
    kind: "errored",
    message: "The environment's load balancer does not answer",
    reason: `${socket}: ${why}`,
    hint: "`docker ps -a` and `docker logs` of the container that ends in -balancer say why; deploying again starts it anew.",
    cause,
  })
}

/** A server as HAProxy sees it now. */
export interface ServerView {
  readonly state: "off" | "probe" | "on"
  readonly weight: number
  readonly healthy: boolean
  /** Sessions that are being served. */
  readonly sessions: number
  readonly address: string
  /** The last check in words; undefined before the first, and now and then while the next one runs. */
  readonly check: string | undefined
}

/** All servers of all backends by name. @throws ENV-BALANCER-SILENT, also when it dies in the middle of its answer */
export async function readServers(socket: string): Promise<ReadonlyMap<string, ServerView>> {
  // "show stat": 4 is servers only (management guide, types 1 frontend, 2 backend, 4 server).
  const answer = await haproxyCommand(socket, ["show servers state", "show stat -1 4 -1"])
  const stat = answer.indexOf("# pxname")
  if (stat < 0) throw silent(socket, "its answer is cut off")
  return parseServers(answer.slice(0, stat), answer.slice(stat))
}

/** Bits of srv_admin_state (management guide, "show servers state"). */
const forcedMaintenance = 0x01
const forcedDrain = 0x08
/** Value of srv_op_state: up. */
const running = 2

/**
 * Reads `show servers state` (what was ordered, and health) and `show stat` (sessions, the last check).
 * The status of the latter does not serve: a server that is down shows no more whether it is drained.
 */
export function parseServers(state: string, csv: string): ReadonlyMap<string, ServerView> {
  const stats = new Map(table(csv, splitCsv).map((row) => [row["svname"] ?? "", row]))
  const servers = new Map<string, ServerView>()
  // The first line is the version of the format: 1.
  for (const row of table(state.replace(/^\s*1\n/, ""), (line) => line.split(" "))) {
    const name = row["srv_name"] ?? ""
    const admin = Number(row["srv_admin_state"])
    const stat = stats.get(name) ?? {}
    servers.set(name, {
      state: (admin & forcedMaintenance) !== 0 ? "off" : (admin & forcedDrain) !== 0 ? "probe" : "on",
      weight: Number(row["srv_uweight"]),
      healthy: Number(row["srv_op_state"]) === running,
      sessions: Number(stat["scur"] ?? 0),
      address: `${row["srv_addr"]}:${row["srv_port"]}`,
      check: checkText(stat),
    })
  }
  return servers
}

function table(text: string, split: (line: string) => string[]): Record<string, string>[] {
  const [head = "", ...lines] = text.split("\n").filter((line) => line.trim() !== "")
  const names = split(head.replace(/^# /, ""))
  return lines.map((line) => {
    const cells = split(line)
    return Object.fromEntries(names.map((name, i) => [name, cells[i] ?? ""]))
  })
}

function checkText(stat: Readonly<Record<string, string>>): string | undefined {
  // An asterisk: a check is running, and this is the one before; its code is gone already and reads 0.
  const running = (stat["check_status"] ?? "").startsWith("* ")
  const status = (stat["check_status"] ?? "").replace(/^\* /, "")
  const number = stat["check_code"] ?? ""
  if (status === "" || status === "INI" || (running && number === "0")) return undefined
  const code = number === "" || number === "0" ? undefined : `code ${number}`
  return [stat["check_desc"] || status, code, stat["last_chk"] || undefined]
    .filter((part) => part !== undefined)
    .join(", ")
}

function splitCsv(line: string): string[] {
  const cells: string[] = []
  for (const match of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "")
  }
  return cells
}

/**
 * The commands that lead from what HAProxy does to what the model says. Weights of one call take effect together, at the
 * speed of the socket; who gets traffic comes first, so that there is no moment in which nobody does. A server that starts
 * being checked counts as down until its first good check.
 */
export function runtimeCommands(
  model: BalancerModel,
  servers: ReadonlyMap<string, ServerView>,
  map: string,
): readonly string[] {
  const commands: string[] = []
  const leaving: string[] = []
  for (const [service, { slots }] of Object.entries(model.services)) {
    for (const [slot, wanted] of Object.entries(slots)) {
      const name = serverName(service, slot)
      const server = servers.get(name)
      if (server === undefined) continue // Not in the running configuration: a reload brings it.
      const target = `${service}/${name}`
      if (wanted.state === "off") {
        if (server.state !== "off") leaving.push(`set server ${target} state maint`)
        continue
      }
      if (server.address !== `${wanted.address}:${wanted.port}`) {
        commands.push(`set server ${target} addr ${wanted.address} port ${wanted.port}`)
      }
      if (server.state === "off") commands.push(`set map ${map} ${name} ${wanted.readiness}`)
      if (server.weight !== wanted.weight) commands.push(`set server ${target} weight ${wanted.weight}`)
      if (wanted.state === "on" && server.state !== "on") commands.push(`set server ${target} state ready`)
      if (wanted.state === "probe" && server.state !== "probe") leaving.push(`set server ${target} state drain`)
      if (server.state === "off") (wanted.state === "on" ? commands : leaving).push(`set server ${target} health down`)
    }
  }
  return [...commands, ...leaving]
}
