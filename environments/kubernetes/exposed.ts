import type { KubeObject } from "../../clients/kubernetes/index.js"
import { fault } from "../../core/errors.js"
import type { Scene } from "./scene.js"
import { fill, type Expose } from "./settings.js"
import type { Service } from "./kinds.js"
import type { Exposed } from "./exposure.js"

const gatewayApi = "gateway.networking.k8s.io/v1"

interface Listener {
  readonly name: string
  readonly port: number
  readonly protocol: string
  readonly hostname?: string
  readonly allowedRoutes?: { readonly namespaces?: { readonly from?: string } }
}
interface Gateway extends KubeObject {
  readonly spec: { readonly listeners?: readonly Listener[] }
  readonly status?: { readonly addresses?: readonly { readonly value: string }[] }
}

type About = Pick<Scene, "cluster" | "namespace" | "environment" | "service">

/** @throws K8S-GATEWAY, K8S-EXPOSE when what the configuration names is not there */
export async function exposedOf(about: About): Promise<Exposed> {
  const { environment } = about
  const { expose } = environment.kubernetes
  switch (expose.kind) {
    case "auto": {
      const found = await findGateway(about)
      return found === undefined ? nodePort(about, { kind: "nodePort", address: "127.0.0.1" }) : gateway(about, found)
    }
    case "gateway":
      return gateway(about, expose)
    case "ingress":
      return ingress(about, expose)
    case "nodePort":
      return nodePort(about, expose)
    case "none":
      return none()
  }
}

/**
 * The one Gateway that lets routes of every namespace in and has a host name for each service: a listener of "*.example.com".
 * Several, or none: it cannot be told which is meant. Without host names two services would both want the path "/".
 */
async function findGateway({ cluster }: About): Promise<Extract<Expose, { kind: "gateway" }> | undefined> {
  if (!(await cluster.serves(gatewayApi, "Gateway"))) return undefined
  // Whoever may not look at the whole cluster names the Gateway in the configuration.
  const all = await cluster.list<Gateway>({ apiVersion: gatewayApi, kind: "Gateway" }).catch(() => [])
  const open = all.flatMap((g) =>
    (g.spec.listeners ?? [])
      .filter((l) => l.allowedRoutes?.namespaces?.from === "All" && l.hostname?.startsWith("*.") === true)
      .map((listener) => ({ gateway: g.metadata, listener })),
  )
  const [only] = open
  if (only === undefined || open.length > 1) return undefined
  const domain = only.listener.hostname?.slice(1) ?? ""
  const { name, namespace } = only.gateway
  const listener = only.listener.name
  // One label: a certificate of the wildcard holds for no more.
  const host = `{service}-{environment}${domain}`
  const previewHost = `{service}-{environment}-preview${domain}`
  return { kind: "gateway", gateway: name, namespace, listener, previewListener: listener, host, previewHost }
}

async function gateway(about: About, expose: Extract<Expose, { kind: "gateway" }>): Promise<Exposed> {
  const { cluster, namespace: own, environment, service } = about
  const namespace = expose.namespace ?? own
  const names = { service, environment: environment.name }
  const filled = (text: string | undefined) => (text === undefined ? undefined : fill(text, names))
  const ref = { apiVersion: gatewayApi, kind: "Gateway", namespace, name: expose.gateway }
  if (!(await cluster.serves(gatewayApi, "HTTPRoute")))
    throw noGateway(expose.gateway, namespace, "The cluster does not serve the Gateway API.")
  const found = await cluster.read<Gateway>(ref)
  if (found === undefined) throw noGateway(expose.gateway, namespace, "There is none of that name.")
  const listeners = found.spec.listeners ?? []
  const live = { listener: filled(expose.listener), host: filled(expose.host) }
  const preview = { listener: filled(expose.previewListener), host: filled(expose.previewHost) }
  for (const { listener } of [live, preview]) {
    if (listener === undefined || listeners.some((l) => l.name === listener)) continue
    throw noGateway(
      expose.gateway,
      namespace,
      `It has no listener "${listener}", but: ${listeners.map((l) => l.name).join(", ")}.`,
    )
  }
  const address = (at: typeof live) => {
    const listener = listeners.find((l) => l.name === at.listener) ?? listeners[0]
    if (listener === undefined) return undefined
    const host = at.host ?? expose.address ?? listener.hostname ?? found.status?.addresses?.[0]?.value
    if (host === undefined) return undefined
    const tls = listener.protocol === "HTTPS"
    const port = listener.port === (tls ? 443 : 80) ? "" : `:${listener.port}`
    return `${tls ? "https" : "http"}://${host}${port}`
  }
  const seesPreview = preview.listener !== undefined || preview.host !== undefined
  return {
    text: `HTTPRoute of Gateway ${namespace}/${expose.gateway}`,
    byReplicas: false,
    testers: true,
    from: [expose.controllerNamespace ?? namespace],
    values: {
      kind: "gateway",
      gateway: expose.gateway,
      namespace,
      ...(live.listener === undefined ? {} : { sectionName: live.listener }),
      hostnames: live.host === undefined ? [] : [live.host],
      ...(seesPreview
        ? {
            preview: {
              ...(preview.listener === undefined ? {} : { sectionName: preview.listener }),
              hostnames: preview.host === undefined ? [] : [preview.host],
            },
          }
        : {}),
    },
    urls: () => Promise.resolve({ live: address(live), preview: seesPreview ? address(preview) : undefined }),
  }
}

async function ingress(about: About, expose: Extract<Expose, { kind: "ingress" }>): Promise<Exposed> {
  const { environment, service } = about
  const names = { service, environment: environment.name }
  const host = fill(expose.host, names)
  const previewHost = expose.previewHost === undefined ? undefined : fill(expose.previewHost, names)
  const tls = expose.tlsSecret === undefined ? undefined : { secretName: fill(expose.tlsSecret, names) }
  const base = (name: string) =>
    expose.address === undefined ? `${tls === undefined ? "http" : "https"}://${name}` : `http://${expose.address}`
  const canary = await takesWeights(about, expose.className)
  return {
    text: `Ingress of class ${expose.className ?? "the cluster's default"}${canary ? ", weights by ingress-nginx" : ", without weights: shares by replicas"}`,
    byReplicas: !canary,
    testers: canary,
    from: [expose.controllerNamespace],
    values: {
      kind: "ingress",
      host,
      canary,
      ...(expose.className === undefined ? {} : { className: expose.className }),
      ...(tls === undefined ? {} : { tls }),
      ...(previewHost === undefined ? {} : { preview: { host: previewHost } }),
    },
    urls: () =>
      Promise.resolve({ live: base(host), preview: previewHost === undefined ? undefined : base(previewHost) }),
  }
}

/** Only ingress-nginx' controllers know the canary annotations. */
async function takesWeights({ cluster }: About, className: string | undefined): Promise<boolean> {
  interface IngressClass extends KubeObject {
    readonly spec?: { readonly controller?: string }
  }
  const api = { apiVersion: "networking.k8s.io/v1", kind: "IngressClass" }
  const all = await cluster.list<IngressClass>(api).catch(() => [])
  const isDefault = (c: IngressClass) =>
    c.metadata.annotations?.["ingressclass.kubernetes.io/is-default-class"] === "true"
  const found = all.find((c) => (className === undefined ? isDefault(c) : c.metadata.name === className))
  return found?.spec?.controller?.endsWith("/ingress-nginx") === true
}

function nodePort({ cluster, namespace, service }: About, expose: Extract<Expose, { kind: "nodePort" }>): Exposed {
  const of = async (name: string) => {
    const found = await cluster.read<Service>({ apiVersion: "v1", kind: "Service", namespace, name })
    const port = found?.spec.ports?.[0]?.nodePort
    return port === undefined ? undefined : `http://${expose.address}:${port}`
  }
  return {
    text: `ports of the nodes at ${expose.address}, shares by replicas`,
    byReplicas: true,
    testers: false,
    from: [],
    values: { kind: "nodePort" },
    async urls() {
      const [live, preview] = await Promise.all([of(service), of(`${service}-preview`)])
      return { live, preview }
    },
  }
}

function none(): Exposed {
  return {
    text: "from within the cluster only, shares by replicas",
    byReplicas: true,
    testers: false,
    from: [],
    values: { kind: "none" },
    urls: () => Promise.resolve({ live: undefined, preview: undefined }),
  }
}

function noGateway(name: string, namespace: string, reason: string) {
  return fault({
    code: "K8S-GATEWAY",
    kind: "usage",
    message: `The Gateway ${name} in namespace ${namespace} cannot be used`,
    reason,
    hint: "Correct `kubernetes.expose` of the environment in gantry.config.ts: kubectl get gateway -A lists what there is.",
  })
}
