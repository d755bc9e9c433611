import { isFree } from "../../../engine/stack/ports.js"
import { fault } from "../../../core/errors.js"

/** Ports on the host's loopback that belong to a lab, one block. */
export interface LabPorts {
  readonly api: number
  /** Traefik's own: metrics and ping. */
  readonly gatewayMetrics: number
  /** Plain-http entry point of Ingresses. */
  readonly ingress: number
  /** Plain-http entry points of the Gateway API controller. */
  readonly gateway: PortRange
  readonly nodePorts: PortRange
}

/** Both ends belong to it. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

const blockSize = 80
/** Where Kubernetes has its NodePorts by default, and below Linux's own choice for outgoing connections (32768). */
const lowest = 30_000
const highest = 32_767

/** The ports of the block that begins at `first`. */
export function portsOf(first: number): LabPorts {
  return {
    api: first,
    gatewayMetrics: first + 1,
    ingress: first + 2,
    gateway: { first: first + 8, last: first + 31 },
    nodePorts: { first: first + 32, last: first + blockSize - 1 },
  }
}

export const inRange = ({ first, last }: PortRange): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)

export const allPorts = (ports: LabPorts): number[] => [
  ports.api,
  ports.gatewayMetrics,
  ports.ingress,
  ...inRange(ports.gateway),
  ...inRange(ports.nodePorts),
]

/** The first block on which nobody listens, not before `from`. Errors: LAB-PORTS when there is none. */
export async function freeBlock(from = lowest): Promise<number> {
  for (let first = from; first + blockSize - 1 <= highest; first += blockSize) {
    const free = await Promise.all(allPorts(portsOf(first)).map(isFree))
    if (free.every(Boolean)) return first
  }
  throw fault({
    code: "LAB-PORTS",
    kind: "errored",
    message: `No ${blockSize} ports in a row are free on 127.0.0.1`,
    reason: `Looked for between ${from} and ${highest}.`,
    hint: "npm run lab:kubernetes -- down removes a lab that is not used.",
  })
}

/** The block after the one that begins at `first`. */
export const nextBlock = (first: number): number => first + blockSize
