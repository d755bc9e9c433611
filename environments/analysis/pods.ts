import type { Dialect } from "./dialect.js"

/**
 * Figures that the services measure themselves, pod by pod: on Kubernetes there is no balancer that everything goes through
 * and that tells its figures by instance. Names and labels are Micrometer's, as Spring Boot and the shop's Node service have
 * them: `http_server_requests_seconds_{count,sum,bucket}{uri,status}`. `instance` is the pod's name, `service` the service's.
 * https://docs.micrometer.io/micrometer/reference/implementations/prometheus.html
 */

const of = (suffix: "count" | "sum" | "bucket", more = "") =>
  `http_server_requests_seconds_${suffix}{instance=~"$instances",uri!~"$probes"${more}}`

/**
 * Whether Prometheus looked at this service just before the window. Else what it sees first within the window may be
 * old: Prometheus was made, or made anew, since.
 */
const watched = `group(present_over_time(up{service="$service"}[1m] offset $window))`

/**
 * By how much a counter grew within the window, without extrapolation (docs/decisions/0051). A series that was born in
 * it grew from 0: a status that had not been answered before, a pod that has just been started. One that was merely not seen
 * for a moment was not born: so five minutes before the window count. Where a container was started again within it,
 * `increase` serves.
 */
function added(series: string): string {
  const window = `${series}[$window]`
  const most = `max_over_time(${window})`
  const born = `${most} unless present_over_time(${series}[5m] offset $window) and on () ${watched}`
  return `((((${born}) or ${most} - min_over_time(${window})) and resets(${window}) == 0) or increase(${window}))`
}

const answers = `sum(${added(of("count"))})`

/** A status that was never answered has no series: then it is none of the answers, where there are any. */
const share = (status: string) => `(sum(${added(of("count", `,status=~"${status}"`))}) or 0 * ${answers}) / ${answers}`

const histogram = `histogram_quantile(0.95, sum by (le) (${added(of("bucket"))}))`
/** Micrometer's timers have no histogram unless they are told to, but always a sum. */
const mean = `sum(${added(of("sum"))}) / ${answers}`

const up = `max_over_time(up{instance=~"$instances"}[$window])`

export const pods: Dialect = {
  requests: answers,
  // Several ports of one pod are several targets. One failed scrape of many is no reason to wait for a person.
  scraped: `count(count by (instance) (${up} == 1))`,
  scrapedSeconds: 20,
  unscraped(found, { instances }) {
    const missing = instances.length - found
    if (missing <= 0 && instances.length > 0) return undefined
    return `Prometheus has no figures of ${missing} of ${instances.length} instances of the new release: it cannot scrape them, or has not yet`
  },
  queries: {
    // Connections that never reached a pod cannot be seen from there. What a pod says of itself is: I cannot serve.
    availability: `1 - ${share("502|503|504")}`,
    serverErrors: share("5.."),
    clientErrors: share("4.."),
    // Without a request a quantile is NaN; `>= 0` makes it nothing, so that the next one has its turn.
    responseTime: `(${histogram} >= 0) or ${mean}`,
  },
  names({ instances }) {
    const names = instances.map(({ name }) => name).join("|")
    return { servers: names, instances: names }
  },
  ownFigures: true,
}
