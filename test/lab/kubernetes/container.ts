import type Docker from "dockerode"
import { fault } from "../../../core/errors.js"
import type { EngineContext } from "../../../engine/context.js"
import { removeContainer } from "../../../engine/docker/run.js"
import { allowsPrivileged, boundingSet, capabilityConfig, lacksCapability } from "../../../engine/stack/privileges.js"
import { gatewayMetricsPort } from "./gateway.js"
import { allPorts, freeBlock, nextBlock, portsOf } from "./ports.js"

/** Labels of a lab's container: the hash of what it is made of, and the first of its ports. */
export const specLabel = "dev.gantry.lab.spec"
export const portsLabel = "dev.gantry.lab.ports"
/** Port of the API server inside the node. */
export const apiPort = 6443

export interface NodeSpec {
  readonly name: string
  readonly image: string
  readonly spec: string
  /** `host:container[:ro]` */
  readonly binds: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/**
 * Creates and starts the node, all of its ports published on 127.0.0.1, in place of the one that may be there. Somebody
 * may take a port between the look and the start: then the next block is tried. Answers the first port.
 */
export async function createNode(context: EngineContext, node: NodeSpec): Promise<number> {
  for (let first = await freeBlock(); ; first = await freeBlock(nextBlock(first))) {
    await removeContainer(context.docker, node.name)
    try {
      await start(context.docker, node, first)
      return first
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      if (!/port is already allocated|address already in use|bind for/i.test(message)) throw error
    }
  }
}

async function start(docker: Docker, node: NodeSpec, first: number): Promise<void> {
  const attempt = async (privileges: Record<string, unknown>): Promise<void> => {
    const container = await docker.createContainer(options(node, first, privileges))
    try {
      await container.start()
    } catch (error) {
      await removeContainer(docker, node.name)
      throw error
    }
  }
  const bounding = await boundingSet()
  // Refused only after every port was published, which takes seconds; so where it can be known it is not tried.
  if (bounding !== undefined && !allowsPrivileged(bounding)) return withCapabilities(attempt, bounding)
  try {
    await attempt({ Privileged: true })
  } catch (error) {
    if (bounding === undefined || !lacksCapability(error instanceof Error ? error.message : "")) throw error
    await withCapabilities(attempt, bounding)
  }
}

/** Older Docker Engines do not know the newest capabilities, and say which: those are left out. */
async function withCapabilities(
  attempt: (privileges: Record<string, unknown>) => Promise<void>,
  bounding: string,
): Promise<void> {
  const unknown: string[] = []
  for (;;) {
    const { extraBinds: _cgroups, ...privileges } = capabilityConfig(bounding, unknown)
    try {
      return await attempt({
        ...privileges,
        // Containers under the node see devices that Docker's own list leaves out.
        DeviceCgroupRules: ["a *:* rwm"],
        Devices: [{ PathOnHost: "/dev/kmsg", PathInContainer: "/dev/kmsg", CgroupPermissions: "rwm" }],
      })
    } catch (error) {
      const name = /unknown capability: "CAP_(\w+)"/.exec(error instanceof Error ? error.message : "")?.[1]
      if (name === undefined || unknown.includes(name)) throw error
      unknown.push(name)
    }
  }
}

function options(node: NodeSpec, first: number, privileges: Record<string, unknown>): Docker.ContainerCreateOptions {
  const ports = portsOf(first)
  // NodePorts and entry points have one number inside and outside; the API server and the metrics have their usual ones inside.
  const inside = (port: number): number =>
    port === ports.api ? apiPort : port === ports.gatewayMetrics ? gatewayMetricsPort : port
  const published = allPorts(ports).map((port) => [`${inside(port)}/tcp`, port] as const)
  return {
    name: node.name,
    Hostname: node.name,
    Image: node.image,
    Env: Object.entries({
      ...node.env,
      NODE_PORTS: `${ports.nodePorts.first}-${ports.nodePorts.last}`,
    }).map(([name, value]) => `${name}=${value}`),
    Labels: { "dev.gantry.purpose": "lab", [specLabel]: node.spec, [portsLabel]: String(first) },
    ExposedPorts: Object.fromEntries(published.map(([key]) => [key, {}])),
    HostConfig: {
      ...privileges,
      // A tree of its own, as the pods' groups lie in it; with the host's the kubelet would meet Docker's.
      ...({ CgroupnsMode: "private" } as object),
      Binds: [...node.binds],
      // Without a name: they go with the container.
      Mounts: ["/var/lib/containerd", "/var/lib/kubelet"].map((target) => ({
        Type: "volume" as const,
        Source: "",
        Target: target,
      })),
      Tmpfs: { "/run": "", "/tmp": "", "/var/lib/etcd": "exec" },
      PortBindings: Object.fromEntries(
        published.map(([key, port]) => [key, [{ HostIp: "127.0.0.1", HostPort: String(port) }]]),
      ),
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "2" } },
    },
  }
}

/** What the Docker Engine knows of a lab's container. */
export interface FoundNode {
  readonly id: string
  readonly up: boolean
  readonly spec: string
  readonly first: number
  readonly state: string
}

export async function findNode(context: EngineContext, name: string): Promise<FoundNode | undefined> {
  try {
    const info = await context.docker.getContainer(name).inspect()
    return {
      id: info.Id,
      up: info.State.Running,
      spec: info.Config.Labels[specLabel] ?? "",
      first: Number(info.Config.Labels[portsLabel]),
      state: `${info.State.Status} (exit code ${info.State.ExitCode}) ${info.State.Error}`.trim(),
    }
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return undefined
    throw error
  }
}

/** Removes a lab's container with its volumes, killed: nothing in it is kept. That there is none is fine. */
export const removeNode = (context: EngineContext, name: string): Promise<void> => removeContainer(context.docker, name)

/** The last lines of the node's log, for an error. */
export async function nodeLog(context: EngineContext, name: string): Promise<string> {
  const raw = await context.docker
    .getContainer(name)
    .logs({ stdout: true, stderr: true, tail: 40 })
    .catch(() => Buffer.from(""))
  // Each chunk has a header of 8 bytes (Docker's stream format).
  return raw.toString("utf8").replace(/[\u0000-\u0002]\0\0\0[^]{4}/g, "")
}

export const startFault = (name: string, reason: string): Error =>
  fault({
    code: "LAB-START",
    kind: "errored",
    message: `The Kubernetes lab ${name} did not start`,
    reason,
    hint: `docker logs ${name}; then: npm run lab:kubernetes -- down && npm run lab:kubernetes -- up`,
  })
