import { toDns } from "../dns.js"
import { labels } from "../labels.js"
import type { KubernetesObject } from "../object.js"
import { isLasting, marks } from "../own/marks.js"
import { podsFault } from "./faults.js"
import { dependencyLabel } from "./marks.js"
import type { Dependency } from "./settings.js"

export interface PolicyQuestion {
  readonly project: string
  readonly environment: string
  readonly namespace: string
  readonly name: string
  readonly dependency: Pick<Dependency, "services" | "ports" | "pods" | "from" | "egress">
  /** What it consists of. */
  readonly objects: readonly KubernetesObject[]
  /** Services that bring their own objects: their pods are found by another label. */
  readonly own: readonly string[]
}

/**
 * Who reaches a dependency: its services and their migrations, its own other members, the namespaces that it names. On both
 * ends, for the environment denies what nothing allows. Pure. @throws DEPENDENCY-PODS
 */
export function dependencyPolicies(question: PolicyQuestion): readonly KubernetesObject[] {
  const { environment, namespace, name, dependency, objects } = question
  const { ports, from, egress, pods } = dependency
  const told = Object.keys(pods).length > 0
  if (!told && !objects.some(isLasting)) throw podsFault(environment, name)
  const own = { podSelector: told ? selectorOf(pods) : { matchLabels: { [dependencyLabel]: name } } }
  const at = ports.length === 0 ? {} : { ports: ports.map((port) => ({ protocol: "TCP", port })) }
  const users = usersOf(question)
  const policy = (suffix: string, spec: object): KubernetesObject => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: `gantry-${suffix}`, namespace },
    spec,
  })
  const namespaces = from.map((ns) => ({ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": ns } } }))
  return [
    policy(`dependency-${name}`, {
      ...own,
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        { from: [own] },
        ...(users.length === 0 ? [] : [{ from: users.map((podSelector) => ({ podSelector })), ...at }]),
        ...(namespaces.length === 0 ? [] : [{ from: namespaces }]),
      ],
      egress: [{ to: [own] }, toDns, ...egress],
    }),
    ...users.map((podSelector, i) =>
      policy(`uses-${name}${i === 0 ? "" : `-${i}`}`, {
        podSelector,
        policyTypes: ["Egress"],
        egress: [{ to: [own], ...at }, toDns],
      }),
    ),
  ]
}

/** Where a label has several values, any of them will do. */
function selectorOf(pods: Dependency["pods"]) {
  const expressions = Object.entries(pods).flatMap(([key, value]) =>
    typeof value === "string" ? [] : [{ key, operator: "In", values: value }],
  )
  const matchLabels = Object.fromEntries(Object.entries(pods).filter(([, value]) => typeof value === "string"))
  return {
    ...(Object.keys(matchLabels).length === 0 ? {} : { matchLabels }),
    ...(expressions.length === 0 ? {} : { matchExpressions: expressions }),
  }
}

/** Pods of services, and of their migrations: of Gantry's chart by the one label, of a service's own objects by the other. */
function usersOf({ project, dependency: { services }, own }: PolicyQuestion) {
  const parts = { key: labels.part, operator: "In", values: ["instance", "migration"] }
  // Whoever delivers one service alone must not shut out the others: without names, all that are the project's.
  if (services === undefined) {
    const charted = { matchLabels: { [labels.project]: project }, matchExpressions: [parts] }
    const exists = { matchExpressions: [{ key: marks.service, operator: "Exists" }] }
    return own.length === 0 ? [charted] : [charted, exists]
  }
  const among = (key: string, values: readonly string[]) =>
    values.length === 0 ? [] : [{ matchExpressions: [{ key, operator: "In", values: [...values] }] }]
  const charted = services.filter((name) => !own.includes(name))
  return [
    ...among(
      labels.name,
      charted.flatMap((name) => [name, `${name}-migration`]),
    ),
    ...among(
      marks.service,
      services.filter((name) => own.includes(name)),
    ),
  ]
}
