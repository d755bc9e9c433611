import { readFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { readJson } from "../../engine/files.js"
import type { Drift } from "../views/drift.js"
import type { HistoryEntry } from "../history.js"
import type { Place } from "../places.js"
import type { EnvironmentPlots } from "../plots.js"
import { releaseKey, releaseName } from "../release.js"
import { balancerContainer } from "./balancer-container.js"
import { balancerSocket } from "./balancer.js"
import { databaseCredentials, hasCredentials } from "./credentials.js"
import { databaseContainer } from "./database.js"
import { instanceDrift } from "./drift-instance.js"
import { serverName, type BalancerModel } from "./haproxy-config.js"
import { readServers } from "./haproxy-runtime.js"
import { instanceOptions, listInstances } from "./instances.js"
import { labels } from "./labels.js"
import { networkLayout } from "./network.js"
import { unlessMissing, type Scene } from "./scene.js"

export interface DriftScene extends Pick<Scene, "engine" | "place" | "environment"> {
  readonly plots: Pick<EnvironmentPlots, "services">
}

/**
 * What of a service in an environment somebody changed by hand: every container is held against how Gantry would create it,
 * and the balancer against what it was told. Changes nothing.
 * @param current What ran whole last.
 * @param busy A deployment is under way: how many instances there are says nothing then.
 */
export async function serviceDrift(
  scene: DriftScene,
  service: string,
  current: HistoryEntry | undefined,
  busy: boolean,
): Promise<readonly Drift[]> {
  const { docker } = scene.engine
  const instances = await listInstances(scene, service)
  if (current === undefined && instances.length === 0) return []
  const network = await networkOf(scene)
  if (network === undefined) {
    return [{ what: scene.place.prefix, field: "network", expected: "there", found: "none" }]
  }
  const found: Drift[] = []
  const model = (await modelOf(scene.place)).services[service]?.slots ?? {}
  for (const instance of instances) {
    const { release, slot, id, name } = instance
    if (release === undefined) {
      found.push({ what: name, field: "labels", expected: "a release", found: "none that can be read" })
      continue
    }
    const info = await unlessMissing(docker.getContainer(id).inspect())
    if (info === undefined) continue
    const image = await unlessMissing(docker.getImage(release.reference).inspect())
    const database =
      release.database !== undefined && (await hasCredentials(scene.place, service))
        ? await databaseCredentials(scene.place, service)
        : undefined
    const plots = { services: scene.plots.services, ports: [], previews: [], metrics: 0, prometheus: 0 }
    const expected = instanceOptions({ ...scene, plots }, network, release, slot, database)
    found.push(...instanceDrift(info, image, expected, model[slot]?.state === "on"))
    const mounted = expected.HostConfig.Binds?.[0]?.split(":")[0] ?? ""
    const config = await readFile(join(mounted, "application.yml"), "utf8").catch(() => undefined)
    if (config !== release.config) {
      const said = config === undefined ? "none" : "another text"
      found.push({ what: name, field: "configuration", expected: release.configHash.slice(0, 8), found: said })
    }
  }
  if (current !== undefined && !busy) {
    const own = instances.filter((i) => i.key === releaseKey(current.release)).length
    if (own !== current.replicas) {
      const what = `instances of ${service}`
      found.push({ what, field: releaseName(current.release), expected: String(current.replicas), found: String(own) })
    }
  }
  found.push(...(await balancerDrift(scene, service, model)))
  if (current?.release.database !== undefined) found.push(...(await running(scene, databaseContainer(scene, service))))
  return found
}

/** What of an environment belongs to no service: its balancer, and containers that nobody of ours put into its network. */
export async function environmentDrift(scene: DriftScene): Promise<readonly Drift[]> {
  const { docker } = scene.engine
  const info = await networkInfo(scene)
  if (info === undefined) return []
  const strangers: Drift[] = []
  for (const [id, { Name: name }] of Object.entries(info.Containers ?? {})) {
    const container = await unlessMissing(docker.getContainer(id).inspect())
    const owner = container?.Config.Labels[labels.environment]
    if (container === undefined || owner === scene.place.prefix) continue
    strangers.push({ what: name, field: "network", expected: "not in it", found: info.Name })
  }
  return [...strangers, ...(await running(scene, balancerContainer(scene)))]
}

/** What HAProxy does against what it was told: somebody may have used its runtime API. */
async function balancerDrift(
  scene: DriftScene,
  service: string,
  model: BalancerModel["services"][string]["slots"],
): Promise<readonly Drift[]> {
  const servers = await readServers(balancerSocket(scene.place)).catch(() => undefined)
  if (servers === undefined) return [] // Its container's state says it.
  return Object.entries(model).flatMap(([slot, wanted]) => {
    const what = serverName(service, slot)
    const is = servers.get(what)
    const expected = wanted.state === "on" ? `on, weight ${wanted.weight}` : wanted.state
    const found = is === undefined ? "none" : is.state === "on" ? `on, weight ${is.weight}` : is.state
    // What gets no traffic anyway may be checked or not: a balancer that restarted checks it again later.
    const idle = wanted.state !== "on" && is?.state !== "on"
    return expected === found || idle ? [] : [{ what, field: "in the balancer", expected, found }]
  })
}

async function running(scene: DriftScene, name: string): Promise<readonly Drift[]> {
  const info = await unlessMissing(scene.engine.docker.getContainer(name).inspect())
  const state = info?.State.Running === true ? (info.State.Paused ? "paused" : "running") : info?.State.Status
  const found = state === "running" ? [] : [{ what: name, field: "state", expected: "running", found: state ?? "none" }]
  const networks = Object.keys(info?.NetworkSettings.Networks ?? {}).filter((n) => n !== scene.place.prefix)
  return networks.length === 0
    ? found
    : [...found, { what: name, field: "networks", expected: scene.place.prefix, found: networks.join(" ") }]
}

interface NetworkInfo {
  readonly Name: string
  readonly IPAM?: { readonly Config?: readonly { readonly Subnet?: string }[] }
  readonly Containers?: Readonly<Record<string, { readonly Name: string }>>
}

async function networkInfo({ engine, place }: DriftScene): Promise<NetworkInfo | undefined> {
  return (await unlessMissing(engine.docker.getNetwork(place.prefix).inspect())) as NetworkInfo | undefined
}

async function networkOf(scene: DriftScene) {
  const info = await networkInfo(scene)
  const subnet = info?.IPAM?.Config?.[0]?.Subnet
  return subnet === undefined ? undefined : networkLayout(scene.place.prefix, subnet)
}

/** As it was written down; the balancer itself is asked elsewhere, and not started when it is silent. */
async function modelOf(place: Place): Promise<BalancerModel> {
  const file = join(dirname(balancerSocket(place)), "model.json")
  return ((await readJson(file)) as BalancerModel | undefined) ?? { services: {} }
}
