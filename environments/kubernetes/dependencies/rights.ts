import type { KubernetesObject } from "../object.js"
import { apply, type Right } from "../rights.js"
import { isCustom } from "./status.js"

/** What it takes to bring kinds that an operator defines. Pure. */
export function dependencyRights(objects: readonly KubernetesObject[]): readonly Right[] {
  const byGroup = new Map<string, Set<string>>()
  for (const { apiVersion, kind } of objects.filter(isCustom)) {
    const [group = ""] = apiVersion.split("/")
    byGroup.set(group, (byGroup.get(group) ?? new Set()).add(resourceOf(kind)))
  }
  return [...byGroup].map(([group, resources]) => ({
    why: "Dependencies of the environment: kinds of an operator. Correct the plural if `kubectl api-resources` says another.",
    apiGroups: [group],
    resources: [...resources],
    verbs: apply,
  }))
}

/** As apimachinery guesses it (UnsafeGuessKindToResource), and kubebuilder names it. */
function resourceOf(kind: string): string {
  const singular = kind.toLowerCase()
  if (singular.endsWith("s")) return `${singular}es`
  if (singular.endsWith("y")) return `${singular.slice(0, -1)}ies`
  return `${singular}s`
}
