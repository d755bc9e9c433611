import type { KubernetesObject } from "../../environments/kubernetes/object.js"

/** What of a pod's specification the policy looks at. */
interface Pod {
  readonly hostNetwork?: boolean
  readonly hostPID?: boolean
  readonly hostIPC?: boolean
  readonly securityContext?: Context
  readonly containers: readonly Container[]
  readonly initContainers?: readonly Container[]
  readonly volumes?: readonly Readonly<Record<string, unknown>>[]
}
interface Container {
  readonly name: string
  readonly securityContext?: Context
  readonly ports?: readonly { readonly hostPort?: number }[]
}
interface Context {
  readonly privileged?: boolean
  readonly allowPrivilegeEscalation?: boolean
  readonly runAsNonRoot?: boolean
  readonly runAsUser?: number
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] }
  readonly seccompProfile?: { readonly type: string }
  readonly procMount?: string
  readonly sysctls?: readonly unknown[]
}

const volumeTypes = new Set([
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
])

/** The pods that an object makes. */
export function podsOf(object: KubernetesObject): readonly Pod[] {
  const found: Pod[] = []
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return
    if ("containers" in value && Array.isArray(value.containers)) found.push(value as unknown as Pod)
    Object.values(value).forEach(visit)
  }
  visit(object)
  return found
}

/**
 * In what a pod violates the Pod Security Standard "restricted", with what "baseline" has besides.
 * https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
 */
export function violations(pod: Pod): readonly string[] {
  const all = [...pod.containers, ...(pod.initContainers ?? [])]
  const said: (readonly [boolean, string])[] = [
    [pod.hostNetwork === true || pod.hostPID === true || pod.hostIPC === true, "host namespaces"],
    [(pod.securityContext?.sysctls ?? []).length > 0, "sysctls"],
    [pod.securityContext?.runAsUser === 0, "pod runs as 0"],
    ...(pod.volumes ?? []).map((volume): readonly [boolean, string] => [
      !Object.keys(volume).every((key) => key === "name" || volumeTypes.has(key)),
      `volume ${String(volume["name"])}`,
    ]),
    ...all.flatMap(({ name, securityContext: own = {}, ports = [] }): (readonly [boolean, string])[] => {
      const seccomp = own.seccompProfile?.type ?? pod.securityContext?.seccompProfile?.type
      return [
        [own.privileged === true, `${name}: privileged`],
        [own.allowPrivilegeEscalation !== false, `${name}: allowPrivilegeEscalation`],
        [(own.runAsNonRoot ?? pod.securityContext?.runAsNonRoot) !== true, `${name}: runAsNonRoot`],
        [own.runAsUser === 0, `${name}: runs as 0`],
        [own.capabilities?.drop?.includes("ALL") !== true, `${name}: capabilities.drop`],
        [(own.capabilities?.add ?? []).some((c) => c !== "NET_BIND_SERVICE"), `${name}: capabilities.add`],
        [seccomp !== "RuntimeDefault" && seccomp !== "Localhost", `${name}: seccompProfile`],
        [own.procMount !== undefined && own.procMount !== "Default", `${name}: procMount`],
        [ports.some((port) => (port.hostPort ?? 0) !== 0), `${name}: hostPort`],
      ]
    }),
  ]
  return said.filter(([bad]) => bad).map(([, what]) => what)
}
