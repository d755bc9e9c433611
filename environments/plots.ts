import { createServer } from "node:net"
import { join } from "node:path"
import { z } from "zod"
import { fault } from "../core/errors.js"
import { readJson, writeAtomic } from "../engine/files.js"
import { withLock } from "../engine/lock.js"
import { stableNumber, type Place } from "./places.js"

/**
 * What each service of a project has been given for good: its place in the networks and its ports on 127.0.0.1. Written
 * down, so that the address of an environment stays the same for as long as the Gantry home lives.
 */
const Plots = z.object({
  /** From 0, in the order of first use. Decides port and addresses inside the environments' networks. */
  services: z.record(z.string(), z.number().int()),
  /** `<environment>/<service>` → port on 127.0.0.1. */
  ports: z.record(z.string(), z.number().int()),
})
type Plots = z.infer<typeof Plots>

export interface Plot {
  readonly service: string
  readonly index: number
  /** Port of the balancer on 127.0.0.1. */
  readonly port: number
}

/** Name under which the balancer's own metrics have a port, beside the services. */
export const metricsPlot = "-metrics"

const firstPort = 20_000
const portRange = 9_000

/**
 * The plots of all services in one environment; new ones are assigned. Ports that the configuration names are taken as
 * they are. @throws ENV-PORT-TWICE when two services of the project are configured to the same port
 */
export async function plotsOf(
  place: Place,
  environment: string,
  services: readonly string[],
  configured: Readonly<Record<string, number>>,
): Promise<ReadonlyMap<string, Plot>> {
  const file = join(place.projectFolder, "plots.json")
  return withLock(`${file}.lock`, "the ports of the environments", async () => {
    const plots = Plots.safeParse(await readJson(file)).data ?? { services: {}, ports: {} }
    const before = JSON.stringify(plots)
    const result = new Map<string, Plot>()
    for (const service of [...services, metricsPlot]) {
      plots.services[service] ??= 1 + Math.max(-1, ...Object.values(plots.services))
      const key = `${environment}/${service}`
      const wanted = configured[service]
      if (wanted !== undefined) claim(plots, key, wanted)
      plots.ports[key] ??= await freePort(`${place.prefix}/${service}`, new Set(Object.values(plots.ports)))
      result.set(service, { service, index: plots.services[service] ?? 0, port: plots.ports[key] ?? 0 })
    }
    if (JSON.stringify(plots) !== before) await writeAtomic(file, JSON.stringify(plots, undefined, 2))
    return result
  })
}

/** Gives up the remembered port of a service, because somebody else has it now. The next `plotsOf` finds another. */
export async function forgetPort(place: Place, environment: string, service: string): Promise<void> {
  const file = join(place.projectFolder, "plots.json")
  await withLock(`${file}.lock`, "the ports of the environments", async () => {
    const plots = Plots.safeParse(await readJson(file)).data
    if (plots === undefined) return
    delete plots.ports[`${environment}/${service}`]
    await writeAtomic(file, JSON.stringify(plots, undefined, 2))
  })
}

function claim(plots: Plots, key: string, port: number): void {
  const other = Object.entries(plots.ports).find(([k, p]) => p === port && k !== key)
  if (other !== undefined) {
    throw fault({
      code: "ENV-PORT-TWICE",
      kind: "usage",
      message: `Port ${port} is wanted for ${key} and belongs to ${other[0]}`,
      hint: "Give each service of each environment a port of its own: `environments.<name>.ports` in gantry.config.ts.",
    })
  }
  plots.ports[key] = port
}

/** The first port free on loopback, beginning at one that depends on the name alone. */
async function freePort(name: string, taken: ReadonlySet<number>): Promise<number> {
  const start = stableNumber(name, portRange)
  for (let i = 0; i < portRange; i++) {
    const port = firstPort + ((start + i) % portRange)
    if (!taken.has(port) && (await isFree(port))) return port
  }
  throw fault({
    code: "ENV-NO-PORT",
    kind: "errored",
    message: `No port between ${firstPort} and ${firstPort + portRange} is free on 127.0.0.1`,
    hint: "Name ports yourself: `environments.<name>.ports` in gantry.config.ts.",
  })
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once("error", () => resolve(false))
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)))
  })
}
