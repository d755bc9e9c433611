import { refOf, type Cluster } from "../../../clients/kubernetes/index.js"
import type { KubernetesObject } from "../object.js"
import type { Expose } from "../settings.js"

interface Route extends KubernetesObject {
  readonly spec?: {
    readonly hostnames?: readonly string[]
    readonly tls?: readonly { readonly hosts?: readonly string[] }[]
    readonly rules?: readonly {
      readonly host?: string
      readonly http?: { readonly paths?: readonly { readonly path?: string; readonly pathType?: string }[] }
    }[]
  }
}

interface Service extends KubernetesObject {
  readonly spec?: {
    readonly type?: string
    readonly selector?: Readonly<Record<string, string>>
    readonly ports?: readonly { readonly port: number; readonly nodePort?: number }[]
  }
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] }
  }
}

export interface About {
  readonly cluster: Pick<Cluster, "read">
  readonly expose: Expose
  readonly service: string
  readonly namespace: string
  readonly objects: readonly KubernetesObject[]
  /** What runs the release. */
  readonly carriers: readonly KubernetesObject[]
}

/**
 * Where users reach what a service brings itself: the host of an Ingress or HTTPRoute, the balancer or node port of the
 * Service before its pods; else its name within the cluster. Undefined: there is no Service. What the cluster gives, a port
 * say, is asked of it.
 */
export async function addressOf(about: About): Promise<string | undefined> {
  const { objects, expose, cluster, namespace } = about
  const of = (kind: string) => objects.filter((o) => o.kind === kind)
  for (const route of of("Ingress") as readonly Route[]) {
    const [rule] = route.spec?.rules ?? []
    if (expose.kind === "ingress" && expose.address !== undefined) return `http://${expose.address}${pathOf(rule)}`
    if (rule?.host === undefined || rule.host.startsWith("*")) continue
    const tls = route.spec?.tls?.some(({ hosts }) => hosts === undefined || hosts.includes(rule.host ?? ""))
    return `${tls === true ? "https" : "http"}://${rule.host}${pathOf(rule)}`
  }
  for (const route of of("HTTPRoute") as readonly Route[]) {
    const host = route.spec?.hostnames?.find((name) => !name.startsWith("*"))
    if (host !== undefined) return `http://${host}`
  }
  const service = serviceOf(about)
  if (service === undefined) return undefined
  const live = (await cluster.read<Service>(refOf(service))) ?? service
  const [port] = live.spec?.ports ?? []
  const suffix = port === undefined || port.port === 80 ? "" : `:${port.port}`
  const [balancer] = live.status?.loadBalancer?.ingress ?? []
  const host = balancer?.hostname ?? balancer?.ip
  if (host !== undefined) return `http://${host}${suffix}`
  if (expose.kind === "nodePort" && port?.nodePort !== undefined) return `http://${expose.address}:${port.nodePort}`
  return `http://${service.metadata.name}.${namespace}.svc${suffix}`
}

type Rule = NonNullable<NonNullable<Route["spec"]>["rules"]>[number]

/** The path below which it is, where that is no pattern. */
function pathOf(rule: Rule | undefined): string {
  const [first] = rule?.http?.paths ?? []
  const path = first?.path ?? "/"
  return path === "/" || !/^\/[\w\-./]*$/.test(path) ? "" : path.replace(/\/$/, "")
}

/** The Service before the pods that run the release; of several the one that is called like the service, or has ports outside. */
function serviceOf({ objects, carriers, service }: About): Service | undefined {
  const labels = carriers.map((carrier) => {
    const { template } = (carrier["spec"] ?? {}) as {
      readonly template?: { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> } }
    }
    return template?.metadata?.labels ?? {}
  })
  const before = (objects as readonly Service[]).filter(({ apiVersion, kind, spec }) => {
    const selector = Object.entries(spec?.selector ?? {})
    const finds = (pods: Readonly<Record<string, string>>) => selector.every(([name, value]) => pods[name] === value)
    return apiVersion === "v1" && kind === "Service" && selector.length > 0 && labels.some(finds)
  })
  const outside = before.filter((s) => s.spec?.type === "NodePort" || s.spec?.type === "LoadBalancer")
  return outside[0] ?? before.find((s) => s.metadata.name === service) ?? before[0]
}
