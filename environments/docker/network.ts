import { fault } from "../../core/errors.js"
import { defaultRouteMtu } from "../../engine/docker/mtu.js"
import { withLock } from "../../core/lock.js"
import { labelFilter, labels } from "./labels.js"
import { unlessMissing, type Scene } from "./scene.js"

/**
 * The network of an environment. Everything in it has a fixed address: the balancer's servers stay right when Docker or
 * the host restarts, and never point to another service's instance.
 */
export interface Network {
  readonly name: string
  readonly balancer: string
  readonly prometheus: string
  instance(serviceNumber: number, slot: number): string
  database(serviceNumber: number): string
}

/** Addresses of a service: 0 nothing, 1 to 60 its instances, 62 its database. */
const block = 64
export const mostSlots = 60

export async function ensureNetwork(scene: Scene): Promise<Network> {
  const name = scene.place.prefix
  const subnet =
    (await subnetOf(scene, name)) ??
    // One at a time: each looks for a free subnet.
    (await withLock(`${scene.place.projectFolder}/network.lock`, "a network", async () => {
      return (await subnetOf(scene, name)) ?? (await create(scene, name))
    }))
  return networkLayout(name, subnet)
}

export function networkLayout(name: string, subnet: string): Network {
  const [base = "", bits = ""] = subnet.split("/")
  const first = toNumber(base)
  const size = 2 ** (32 - Number(bits))
  const at = (offset: number): string => {
    if (offset < size - 1) return toText(first + offset)
    throw fault({
      code: "ENV-NETWORK-SMALL",
      kind: "errored",
      message: `The network ${name} has too few addresses: ${subnet}`,
      hint: "Give the Docker Engine larger pools: `default-address-pools` with size 20 or less in /etc/docker/daemon.json; then remove the environment's network.",
    })
  }
  return {
    name,
    balancer: at(2),
    prometheus: at(3),
    instance: (number, slot) => at((number + 1) * block + slot),
    database: (number) => at((number + 1) * block + 62),
  }
}

async function subnetOf(scene: Scene, name: string): Promise<string | undefined> {
  const found = await unlessMissing(scene.engine.docker.getNetwork(name).inspect())
  const info = found as { Labels?: Record<string, string>; IPAM?: { Config?: { Subnet?: string }[] } } | undefined
  if (info === undefined) return undefined
  if (info.Labels?.[labels.environment] !== name) {
    throw fault({
      code: "ENV-NETWORK-FOREIGN",
      kind: "errored",
      message: `There is a network ${name} that Gantry did not make`,
      hint: `Rename the project or the stack in gantry.config.ts, or remove it: docker network rm ${name}`,
    })
  }
  return info.IPAM?.Config?.[0]?.Subnet
}

/**
 * Docker finds a free subnet, but gives fixed addresses only in one that it was told: so its choice is looked up and made
 * again by name. What joins without a fixed address gets one from the upper half, away from the instances.
 */
async function create(scene: Scene, name: string): Promise<string> {
  const { docker } = scene.engine
  const settings = {
    Name: name,
    CheckDuplicate: true,
    Driver: "bridge",
    Labels: { [labels.environment]: name, [labels.role]: "network" },
    Options: { "com.docker.network.driver.mtu": String(await defaultRouteMtu()) },
  }
  for (let attempt = 1; ; attempt++) {
    await unlessMissing(docker.getNetwork(`${name}-trial`).remove()) // Of a process that was killed right here.
    const trial = await docker
      .createNetwork({ ...settings, Name: `${name}-trial`, Labels: {} })
      .catch((cause: unknown) => {
        throw noSubnet(name, cause)
      })
    const info = (await trial.inspect()) as { IPAM: { Config: { Subnet: string }[] } }
    await trial.remove()
    const subnet = info.IPAM.Config[0]?.Subnet ?? ""
    const [base = "", bits = ""] = subnet.split("/")
    const upper = `${toText(toNumber(base) + 2 ** (31 - Number(bits)))}/${Number(bits) + 1}`
    try {
      await docker.createNetwork({
        ...settings,
        IPAM: { Driver: "default", Config: [{ Subnet: subnet, IPRange: upper, Gateway: toText(toNumber(base) + 1) }] },
      })
      return subnet
    } catch (error) {
      if (attempt >= 5 || !/overlap|already exists/i.test((error as Error).message)) throw error
    }
  }
}

function noSubnet(name: string, cause: unknown): unknown {
  const reason = cause instanceof Error ? cause.message : String(cause)
  if (!/available.*address pool|predefined address pools/i.test(reason)) return cause
  return fault({
    code: "ENV-NO-NETWORK",
    kind: "errored",
    message: `The Docker Engine has no subnet left for the network ${name}`,
    reason,
    hint: "Remove networks that nobody needs (docker network prune), or give it more `default-address-pools` in /etc/docker/daemon.json.",
    cause,
  })
}

/** Everything that is attached to a network of the environment is Gantry's: it is removed with it. */
export async function removeNetwork(scene: Pick<Scene, "engine" | "place">): Promise<void> {
  const found = await scene.engine.docker.listNetworks({
    filters: labelFilter({ environment: scene.place.prefix }),
  })
  for (const { Id } of found) await unlessMissing(scene.engine.docker.getNetwork(Id).remove())
}

const toNumber = (address: string): number => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0)
const toText = (number: number): string => [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join(".")
