/** What the balancer shall do, as data. The configuration file and the runtime commands are both derived from it. */
export interface BalancerModel {
  readonly services: Readonly<Record<string, BalancedService>>
}

export interface BalancedService {
  /** Port of its frontend inside the environment's network. */
  readonly port: number
  readonly slots: Readonly<Record<string, Slot>>
  /** Requests with this header go to the preview, as long as it has an instance that is up. */
  readonly testers?: { readonly name: string; readonly value: string } | undefined
}

/** The preview of a service is a balanced service beside it. No service's name holds a dot. */
export const previewOf = (service: string) => `${service}.preview`

export interface Slot {
  readonly address: string
  readonly port: number
  /** Path of the health check. */
  readonly readiness: string
  /** off: not even checked · probe: checked, no new requests (also while it drains) · on: gets its share. */
  readonly state: "off" | "probe" | "on"
  /** 1–256, relative to the other slots. */
  readonly weight: number
}

/** Where the folder that host and balancer share is mounted in the container. */
export const balancerFolder = "/run/gantry"
export const metricsPort = 8405

export const serverName = (service: string, slot: number | string) => `${service}-${slot}`

/**
 * The whole configuration. Written anew after every change with the slots as they are, so that a balancer that restarts
 * (a crash, a reboot) goes on with the same instances and weights.
 */
export function haproxyConfig(model: BalancerModel): string {
  const services = Object.entries(model.services).sort(([a], [b]) => (a < b ? -1 : 1))
  return `${header}${services.map(([name, service]) => section(name, service)).join("")}`
}

/** Path of the health check by server: releases may differ in it, and two of them run side by side while traffic moves. */
export function readinessMap(model: BalancerModel): string {
  const lines = Object.entries(model.services).flatMap(([name, service]) =>
    Object.entries(service.slots).map(([slot, { readiness }]) => `${serverName(name, slot)} ${readiness}`),
  )
  return `${lines.sort().join("\n")}\n`
}

const header = `# Written by Gantry after every change. The state of the servers is changed over the runtime API, without a reload.
global
    stats socket ${balancerFolder}/admin.sock mode 660 level admin
    log stdout format raw local0 notice
    hard-stop-after 60s

defaults
    mode http
    log global
    option dontlognull
    timeout http-request 10s
    timeout connect 1s
    timeout client 60s
    timeout server 60s
    timeout queue 10s
    timeout check 2s
    timeout http-keep-alive 30s
    # Each request has a connection of its own to the instance: none can meet one that is just being closed for idleness.
    option http-server-close
    option idle-close-on-response
    # A request that did not reach an instance goes to another one.
    option redispatch 1
    retries 3
    retry-on conn-failure empty-response
    default-server check inter 1s fastinter 250ms downinter 250ms rise 1 fall 2

frontend metrics
    bind :${metricsPort}
    http-request use-service prometheus-exporter if { path /metrics }
    http-request return status 200 content-type text/plain string ok if { path /alive }
`

function section(name: string, service: BalancedService): string {
  const servers = Object.entries(service.slots)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(
      ([slot, s]) => `    server ${serverName(name, slot)} ${s.address}:${s.port} weight ${s.weight}${disabled(s)}\n`,
    )
  return `
frontend ${name}
    bind :${service.port}
${testers(name, service)}    default_backend ${name}

backend ${name}
    balance roundrobin
    option httpchk
    http-check send meth GET uri-lf "%[srv_name,map(${balancerFolder}/readiness.map,/)]" ver HTTP/1.1 hdr Host ${name}
    http-check expect status 200
    # What may have had an effect is never sent twice; what never arrived always is.
    http-request disable-l7-retry unless { method GET HEAD OPTIONS }
${servers.join("")}`
}

function testers(name: string, { testers }: BalancedService): string {
  if (testers === undefined) return ""
  const condition = `{ req.hdr(${testers.name}) -m str ${testers.value} } { nbsrv(${previewOf(name)}) gt 0 }`
  return `    use_backend ${previewOf(name)} if ${condition}\n`
}

function disabled(slot: Slot): string {
  return slot.state === "on" ? "" : " disabled"
}
