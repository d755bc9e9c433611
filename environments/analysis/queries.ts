import type { Dialect, Group, Placeholder } from "./dialect.js"

/** Where machines ask, whatever a service says of itself: Spring's actuator and the usual names. */
const usualProbes = "/(actuator|health|ready|live|metrics)(/.*)?"

/**
 * A query with its placeholders filled in: `$service`, `$servers` and `$instances` (patterns over the names of the group's
 * instances), `$probes` (a pattern over the paths that are asked by machines), `$window` (a duration, rounded down: it
 * never looks back before its beginning). Prometheus anchors patterns at both ends.
 */
export function fillQuery(query: string, group: Group, dialect: Pick<Dialect, "names">): string {
  const values: Readonly<Record<Placeholder, string>> = {
    service: group.service,
    ...dialect.names(group),
    probes: [usualProbes, ...group.probes.filter((path) => path !== "/").map(pattern)].join("|"),
    window: `${Math.floor(group.windowSeconds * 1000)}ms`,
  }
  return query.replace(/\$(service|servers|instances|probes|window)\b/g, (_, name: Placeholder) => values[name])
}

/** A path as a pattern that may stand within quotes. */
const pattern = (path: string) => (path.split("?")[0] ?? "").replace(/[^A-Za-z0-9/_-]/g, ".")
