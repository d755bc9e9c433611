import type { Json } from "../../core/json.js"
import type { Environment, TargetName } from "../environment.js"
import { namespaceOf } from "../kubernetes/names.js"

type Environments = Readonly<Record<string, Environment>>

/** Environments on another target than their configuration says: all of them on one, or each on its own by its name. */
export function onTargets(
  environments: Environments,
  targets: TargetName | Readonly<Record<string, TargetName>>,
): Environments {
  const of = (name: string) => (typeof targets === "string" ? targets : targets[name])
  return Object.fromEntries(
    Object.entries(environments).map(([name, e]) => [name, { ...e, target: of(name) ?? e.target }]),
  )
}

/** Where each environment is, by its name. */
export const targetsOf = (environments: Environments): Readonly<Record<string, TargetName>> =>
  Object.fromEntries(Object.entries(environments).map(([name, { target }]) => [name, target]))

/** An environment's place as part of effects' keys: another cluster or namespace is another place. */
export function placeKey(project: string, environment: Environment): string {
  const { name, target, kubernetes } = environment
  return target === "docker" ? name : `${name}@${kubernetes.context ?? ""}/${namespaceOf(project, environment)}`
}

/** For people, e.g. "namespace shop-prod of context lab"; undefined for the local Docker Engine. */
export function placeText(project: string, environment: Environment): string | undefined {
  const { target, kubernetes } = environment
  if (target === "docker") return undefined
  const of = kubernetes.context === undefined ? "the current context" : `context ${kubernetes.context}`
  return `namespace ${namespaceOf(project, environment)} of ${of}`
}

/** What people approve of beside strategy and size: where it goes and how it runs there. Nothing of one machine's own. */
export function placeEvidence(project: string, environment: Environment): Readonly<Record<string, Json>> {
  if (environment.target === "docker") return {}
  const { kubeconfig: _, ...kubernetes } = environment.kubernetes
  return { kubernetes: plain({ ...kubernetes, namespace: namespaceOf(project, environment) }) }
}

/** What of an environment's settings decides how a release gets there. The cluster counts only where there is one. */
export function deployedBy({ kubernetes, ...environment }: Environment): Json {
  return plain({
    ...environment,
    approvals: undefined,
    ...(environment.target === "kubernetes" ? { kubernetes } : {}),
  })
}

const plain = (value: object): Json => JSON.parse(JSON.stringify(value)) as Json
