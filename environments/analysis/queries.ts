import { serverName } from "../docker/haproxy-config.js"

/** The instances that a query is asked about. */
export interface Group {
  readonly service: string
  /** Places in the balancer. */
  readonly slots: readonly number[]
  /** How far back it looks. Seconds, not less than a millisecond. */
  readonly windowSeconds: number
}

/**
 * A query with its placeholders filled in: `$service`, `$servers` and `$instances` (patterns for `=~`, which Prometheus
 * anchors at both ends), `$window` (a duration, rounded down: it never looks back before its beginning).
 * An instance is scraped under the balancer's name of its slot. Behind the preview address, by which testers reach a new
 * release, the balancer has a second name for it, and their requests count as well.
 */
export function fillQuery(query: string, { service, slots, windowSeconds }: Group): string {
  const values: Readonly<Record<string, string>> = {
    service,
    servers: slots.map((slot) => serverName(`${service}([.]preview)?`, slot)).join("|"),
    instances: slots.map((slot) => serverName(service, slot)).join("|"),
    window: `${Math.floor(windowSeconds * 1000)}ms`,
  }
  return query.replace(/\$(service|servers|instances|window)\b/g, (_, name: string) => values[name] ?? "")
}
