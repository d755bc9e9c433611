import { serverName } from "../docker/haproxy-config.js"
import type { Dialect } from "./dialect.js"

/**
 * Figures of HAProxy's exporter, which sees every request of every service, whatever the service itself measures.
 * Names of the series: HAProxy 3.0, `haproxy_server_…{proxy,server}`; `server` is `<service>-<slot>`.
 */

const of = (series: string, more = "") => `haproxy_server_${series}{server=~"$servers"${more}}`

/**
 * By how much a counter grew between its first and its last sample in the window: whole requests, never more than there
 * were. `increase` extrapolates to the edges, in a window of a few samples to a third more than the truth, and differently for
 * a counter that began at 0. Only for a counter that began anew (a reloaded balancer) it serves; where the new process
 * overtook the old one's figures between two scrapes, that is not seen, and fewer requests are counted.
 */
function added(series: string, more = ""): string {
  const window = `${of(series, more)}[$window]`
  const plain = `(max_over_time(${window}) - min_over_time(${window})) * (resets(${window}) == bool 0)`
  return `(${plain} + increase(${window}) * (resets(${window}) > bool 0))`
}

/** Answers of the instances, of all status codes. */
const answers = `sum(${added("http_responses_total")})`

/**
 * Attempts that ended without an answer: connections refused or timed out, answers that broke off, came too late or were
 * none. HAProxy counts an attempt that it makes again elsewhere as a redispatch, and of these the broken answers as
 * `response_errors` once more: of both only the larger counts.
 */
const [again, broken] = [added("redispatch_warnings_total"), added("response_errors_total")]
const unanswered = `(sum(${added("connection_errors_total")}) + sum((${again} > ${broken}) or ${broken}))`

/** Requests that were brought to the instances within the window. */
const requests = `${answers} + ${unanswered}`

/**
 * How many servers of the group the exporter told of: none when it cannot be scraped. Prometheus forgets a series at once
 * when a scrape fails, but not if it was itself started anew meanwhile: so there is an end to that, too.
 */
const scraped = `count(${of("weight")} and present_over_time(${of("weight")}[$window]))`

const share = (code: string) => `sum(${added("http_responses_total", `,code="${code}"`)}) / ${answers}`

/** What probes and scrapes take is no figure of the users'. Labels as Micrometer has them. */
const measured = `{instance=~"$instances",uri!~"$probes"}`
const histogram = `histogram_quantile(0.95, sum by (le) (increase(http_server_requests_seconds_bucket${measured}[$window])))`

/**
 * Mean response time within the window, for services without a histogram. HAProxy tells a moving average alone, in which
 * each answer moves the figure by 1/512 (TIME_STATS_SAMPLES), from 0 at its start and across the releases that a slot has
 * seen. So what stood there when the window began is taken out again: after k answers it still weighs e^(-k/511.5). The
 * figure is in whole milliseconds: with 50 answers the result is right to about 20 ms. The largest time that was
 * ever seen bounds it, should a HAProxy average otherwise.
 */
const average = of("response_time_average_seconds")
/** A balancer that was reloaded within the window began at 0 again. */
const unbroken = `(resets(${of("loadbalanced_total")}[$window]) == bool 0)`
const responses = `sum without (code) (${of("http_responses_total")})`
const earlier = `sum without (code) (${of("http_responses_total")} offset $window)`
const kept = `exp(-(${responses} - ${earlier} * ${unbroken}) / 511.5)`
const moving = `sum(${average} - (${average} offset $window) * ${unbroken} * ${kept}) / sum(1 - ${kept})`
const largest = `scalar(max(${of("max_response_time_seconds")}))`

/**
 * An instance is scraped under the balancer's name of its slot. Behind the preview address, by which testers reach a new
 * release, the balancer has a second name for it, and their requests count as well.
 */
export const haproxy: Dialect = {
  requests,
  scraped,
  scrapedSeconds: 60,
  unscraped: (found) =>
    found > 0 ? undefined : "Prometheus has no figures of the load balancer: it is down, or is not scraped",
  queries: {
    availability: `${answers} / (${requests})`,
    serverErrors: share("5xx"),
    clientErrors: share("4xx"),
    // Without a request a quantile is NaN; `>= 0` makes it nothing, so that the next one has its turn.
    responseTime: `(${histogram} >= 0) or clamp(${moving}, 0, ${largest})`,
  },
  names: ({ service, instances }) => ({
    servers: instances.map(({ slot }) => serverName(`${service}([.]preview)?`, slot)).join("|"),
    instances: instances.map(({ slot }) => serverName(service, slot)).join("|"),
  }),
  ownFigures: false,
}
