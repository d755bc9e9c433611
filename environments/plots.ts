import { join } from "node:path"
import { z } from "zod"
import { fault } from "../core/errors.js"
import { readJson, writeAtomic } from "../engine/files.js"
import { withLock } from "../core/lock.js"
import { isFree } from "../engine/stack/ports.js"
import { stableNumber, type Place } from "./places.js"

/**
 * What the services of a project have been given for good: a number, which decides their place in the environments'
 * networks, and a port on 127.0.0.1 for each environment. Written down, so that addresses stay the same for as long as
 * the Gantry home lives. Ports are given by number, ahead of need: a new service then needs no new balancer.
 */
const Plots = z.object({
  /** Service → number, from 0 in the order of first use. */
  services: z.record(z.string(), z.number().int()),
  /** `<environment>/<number>` and `<environment>/<number>/preview` → port on 127.0.0.1. */
  ports: z.record(z.string(), z.number().int()),
})
type Plots = z.infer<typeof Plots>

export interface EnvironmentPlots {
  /** Service → number. */
  readonly services: Readonly<Record<string, number>>
  /** Port on 127.0.0.1 by number. */
  readonly ports: readonly number[]
  /** The same for the preview addresses. */
  readonly previews: readonly number[]
  /** Port on 127.0.0.1 of the balancer's own metrics. */
  readonly metrics: number
  /** Port on 127.0.0.1 of the environment's Prometheus, whether or not there is one. */
  readonly prometheus: number
}

const firstPort = 20_000
const portRange = 9_000
/** Ports are given in groups of so many, at least one of them spare. */
const group = 4

/**
 * The plots of an environment; services that have none are given one. Ports that the configuration names are taken as
 * they are. @throws ENV-PORT-TWICE, ENV-NO-PORT
 */
export async function plotsOf(
  place: Place,
  environment: string,
  services: readonly string[],
  configured: Readonly<Record<string, number>>,
): Promise<EnvironmentPlots> {
  return change(place, async (plots) => {
    for (const service of services) plots.services[service] ??= 1 + Math.max(-1, ...Object.values(plots.services))
    for (const [service, port] of Object.entries(configured)) {
      const number = plots.services[service]
      if (number !== undefined) claim(plots, `${environment}/${number}`, port)
    }
    const known = Object.keys(plots.services).length
    const count = Math.ceil((known + 1) / group) * group
    const ports: number[] = []
    const previews: number[] = []
    for (let i = 0; i < count; i++) {
      ports.push(await portFor(plots, place, `${environment}/${i}`))
      previews.push(await portFor(plots, place, `${environment}/${i}/preview`))
    }
    const metrics = await portFor(plots, place, `${environment}/metrics`)
    const prometheus = await portFor(plots, place, `${environment}/prometheus`)
    return { services: { ...plots.services }, ports, previews, metrics, prometheus }
  })
}

/** The number of a service that has one. */
export function plotOf(plots: Pick<EnvironmentPlots, "services">, service: string): number {
  const number = plots.services[service]
  if (number === undefined) throw new Error(`${service} has no place in the environments of this project`)
  return number
}

/** The plots as they are written down; nothing is given. A service without a plot was never deployed. */
export async function readPlots(place: Place): Promise<Plots> {
  return Plots.safeParse(await readJson(plotsFile(place))).data ?? { services: {}, ports: {} }
}

/** Gives up a port that somebody else has taken in the meantime. The next `plotsOf` finds another. */
export async function forgetPort(place: Place, port: number): Promise<void> {
  await change(place, (plots) => {
    for (const [key, value] of Object.entries(plots.ports)) if (value === port) delete plots.ports[key]
    return Promise.resolve()
  })
}

async function change<T>(place: Place, work: (plots: Plots) => Promise<T>): Promise<T> {
  const file = plotsFile(place)
  return withLock(`${file}.lock`, "the ports of the environments", async () => {
    const plots = await readPlots(place)
    const before = JSON.stringify(plots)
    const result = await work(plots)
    if (JSON.stringify(plots) !== before) await writeAtomic(file, JSON.stringify(plots, undefined, 2))
    return result
  })
}

const plotsFile = (place: Place) => join(place.projectFolder, "plots.json")

function claim(plots: Plots, key: string, port: number): void {
  const other = Object.entries(plots.ports).find(([k, p]) => p === port && k !== key)?.[0]
  const service = Object.entries(plots.services).find(([, number]) => other?.endsWith(`/${number}`) === true)?.[0]
  if (other !== undefined && service !== undefined) {
    throw fault({
      code: "ENV-PORT-TWICE",
      kind: "usage",
      message: `Port ${port} is wanted in ${key.split("/")[0]} and belongs to ${service} in ${other.split("/")[0]}`,
      hint: "Give each service of each environment a port of its own: `environments.<name>.ports` in gantry.config.ts.",
    })
  }
  if (other !== undefined) delete plots.ports[other] // A spare one: another serves as well.
  plots.ports[key] = port
}

/** The port that is written down, else the first free one, beginning at one that depends on the name alone. */
async function portFor(plots: Plots, place: Place, key: string): Promise<number> {
  const known = plots.ports[key]
  if (known !== undefined) return known
  const taken = new Set(Object.values(plots.ports))
  const start = stableNumber(`${place.projectFolder}/${key}`, portRange)
  for (let i = 0; i < portRange; i++) {
    const port = firstPort + ((start + i) % portRange)
    if (taken.has(port) || !(await isFree(port))) continue
    plots.ports[key] = port
    return port
  }
  throw fault({
    code: "ENV-NO-PORT",
    kind: "errored",
    message: `No port between ${firstPort} and ${firstPort + portRange} is free on 127.0.0.1`,
    hint: "Name ports yourself: `environments.<name>.ports` in gantry.config.ts.",
  })
}
