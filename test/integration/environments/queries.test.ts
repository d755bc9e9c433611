import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it, onTestFinished } from "vitest"
import { stringify } from "yaml"
import { engineConfig } from "../../../engine/config.js"
import { engineContext } from "../../../engine/context.js"
import { runContainer } from "../../../engine/docker/run.js"
import { localImage } from "../../../engine/image/local.js"
import { pods } from "../../../environments/analysis/pods.js"
import { fillQuery } from "../../../environments/analysis/queries.js"
import { prometheusImage } from "../../../environments/prometheus.js"

/**
 * What the queries over the pods' own figures answer, by the real Prometheus: `promtool test rules` evaluates them over series
 * that are written down. A sample each two seconds from 0 s on; asked at 60 s, about the ten seconds before.
 * https://prometheus.io/docs/prometheus/2.53/configuration/unit_testing_rules/
 */
type Query = "requests" | "scraped" | keyof typeof pods.queries
type Series = Readonly<Record<string, string>>

const counter = (status: string, over = "", suffix = "count") =>
  `http_server_requests_seconds_${suffix}{service="web",instance="c1",uri="/",status="${status}"${over}}`
const watched: Series = { 'up{service="web",instance="b1"}': "1x30" }
/** Five more each two seconds: 25 within the window. */
const steady: Series = { ...watched, [counter("200")]: "0+5x30" }
/** Seen at 54 s for the first time: 3, 5, 7, 9. */
const born = "_x27 3+2x3"
const buckets = (values: Readonly<Record<string, string>>): Series =>
  Object.fromEntries(Object.entries(values).map(([le, v]) => [counter("200", `,le="${le}"`, "bucket"), v]))

const cases: readonly (readonly [string, Query, Series, number | undefined])[] = [
  ["a counter grows by the difference, without extrapolation", "requests", steady, 25],
  ["all statuses and paths are added up", "requests", { ...steady, [counter("404")]: "7x25 8+1x4" }, 30],
  ["one that was born in the window began at 0", "requests", { ...watched, [counter("200")]: born }, 9],
  ["so did one that was seen once", "requests", { ...watched, [counter("200")]: "_x30 4" }, 4],
  [
    "not where Prometheus itself looks only since then",
    "requests",
    { 'up{service="web",instance="b1"}': "_x27 1x3", [counter("200")]: born },
    6,
  ],
  ["nor where it looked at other services alone", "requests", { 'up{service="x"}': "1x30", [counter("200")]: born }, 6],
  [
    "nor for one that was not seen for a while",
    "requests",
    { ...watched, [counter("200")]: "0+5x10 _x16 135+5x3" },
    15,
  ],
  ["a container that was started again counts on", "requests", { ...watched, [counter("200")]: "100+5x26 2+5x3" }, 22],
  [
    "what machines ask does not count",
    "requests",
    { ...steady, [counter("200").replace('"/"', '"/ready"')]: born },
    25,
  ],
  [
    "nor a path of the service's own for them",
    "requests",
    { ...steady, [counter("200").replace('"/"', '"/ping"')]: born },
    25,
  ],
  ["nor what others answer", "requests", { ...steady, [counter("200").replace("c1", "b1")]: born }, 25],
  ["nobody asked: nothing", "requests", watched, undefined],
  ["a status that never was is none", "serverErrors", steady, 0],
  ["an error that is the first of its kind is seen", "serverErrors", { ...steady, [counter("500")]: born }, 9 / 34],
  ["no answers, no share", "serverErrors", { ...watched, [counter("200")]: "25x30" }, undefined],
  ["no figures, no share", "serverErrors", watched, undefined],
  ["4xx are the client's", "clientErrors", { ...steady, [counter("404")]: born, [counter("500")]: "0x30" }, 9 / 34],
  ["500 is an answer of a service that is there", "availability", { ...steady, [counter("500")]: born }, 1],
  ["503 is not", "availability", { ...steady, [counter("503")]: born }, 1 - 9 / 34],
  [
    "the 95th percentile comes from the histogram",
    "responseTime",
    { ...steady, ...buckets({ "0.5": "0+4x30", "1": "0+4x30", "2": "0+5x30", "+Inf": "0+5x30" }) },
    1 + (0.95 * 25 - 20) / 5,
  ],
  ["without one the mean serves", "responseTime", { ...steady, [counter("200", "", "sum")]: "0+2x30" }, 10 / 25],
  ["no answers, no time", "responseTime", watched, undefined],
  ["two pods are scraped", "scraped", { 'up{instance="c1"}': "1x30", 'up{instance="c2"}': "1x30" }, 2],
  [
    "a pod with two ports is one",
    "scraped",
    { 'up{instance="c1",a="1"}': "1x30", 'up{instance="c1",a="2"}': "1x30" },
    1,
  ],
  ["a scrape that failed once", "scraped", { 'up{instance="c1"}': "1x29 0", 'up{instance="c2"}': "1x30" }, 2],
  ["one that fails for long", "scraped", { 'up{instance="c1"}': "1x10 0x19", 'up{instance="c2"}': "1x30" }, 1],
  ["a Prometheus that has just come back", "scraped", { 'up{instance="c1"}': "1x10" }, undefined],
]

it(`answers ${cases.length} questions as they are meant`, async () => {
  const group = {
    service: "web",
    instances: ["c1", "c2"].map((name, i) => ({ slot: i + 1, name })),
    probes: ["/ping"],
  }
  const tests = cases.map(([name, query, series, value]) => {
    const windowSeconds = query === "scraped" ? pods.scrapedSeconds : 10
    const promql = query === "requests" || query === "scraped" ? pods[query] : pods.queries[query]
    return {
      name,
      interval: "2s",
      input_series: Object.entries(series).map(([one, values]) => ({ series: one, values })),
      promql_expr_test: [
        {
          // NaN is no figure: the client says so, too.
          expr: `(${fillQuery(promql, { ...group, windowSeconds }, pods)}) >= 0`,
          eval_time: "60s",
          exp_samples: value === undefined ? [] : [{ labels: "{}", value }],
        },
      ],
    }
  })
  const folder = await mkdtemp(join(tmpdir(), "gantry-queries-"))
  onTestFinished(() => rm(folder, { recursive: true }))
  await chmod(folder, 0o755)
  await writeFile(join(folder, "tests.yml"), stringify({ tests }, { lineWidth: 0 }))
  const context = engineContext(engineConfig.parse({}))
  const { output, exitCode } = await runContainer(context.docker, {
    image: (await localImage(context, prometheusImage)).name,
    entrypoint: ["promtool"],
    command: ["test", "rules", "/tests/tests.yml"],
    binds: [`${folder}:/tests:ro`],
    timeoutMs: 60_000,
  })
  expect(output).toContain("SUCCESS")
  expect(exitCode).toBe(0)
})
