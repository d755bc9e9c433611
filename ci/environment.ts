import type { Settings } from "../steps/settings.js"

export type Tier = "production" | "staging" | "testing" | "development"

/** What kind of environment it is: production is what people have to approve of, and the last one. */
export function tierOf(settings: Pick<Settings, "environments">, name: string): Tier {
  const names = Object.keys(settings.environments)
  if (settings.environments[name]?.approvals !== undefined || names[names.length - 1] === name) return "production"
  if (/^dev/.test(name)) return "development"
  return /test|qa/.test(name) ? "testing" : "staging"
}
