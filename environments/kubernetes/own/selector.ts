import type { KubernetesObject } from "../object.js"

interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly {
    readonly key: string
    readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist"
    readonly values?: readonly string[]
  }[]
}

/**
 * The selector of a workload's pods as the API takes it in a request; undefined: it has none.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 */
export function podSelector(object: KubernetesObject): string | undefined {
  if (object.kind === "Job") return `batch.kubernetes.io/job-name=${object.metadata.name}`
  const { selector } = (object["spec"] ?? {}) as { readonly selector?: LabelSelector }
  const parts = [
    ...Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`),
    ...(selector?.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
      switch (operator) {
        case "In":
          return `${key} in (${values.join(",")})`
        case "NotIn":
          return `${key} notin (${values.join(",")})`
        case "Exists":
          return key
        case "DoesNotExist":
          return `!${key}`
      }
    }),
  ]
  return parts.length === 0 ? undefined : parts.join(",")
}
