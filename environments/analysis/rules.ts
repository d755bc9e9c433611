import { defaultRules } from "./defaults.js"
import type { Analysis, MetricRule } from "./settings.js"

/** A rule with its query. */
export type Rule = MetricRule & { readonly query: string }

/** What decides, by name: the defaults, with what the environment and the service say of each by its name, and their own. */
export function rulesOf(analysis: Pick<Analysis, "metrics">): Readonly<Record<string, Rule>> {
  const rules: Record<string, Rule> = { ...defaultRules }
  for (const [name, own] of Object.entries(analysis.metrics)) {
    if (own === false) Reflect.deleteProperty(rules, name)
    else rules[name] = own
  }
  return rules
}
