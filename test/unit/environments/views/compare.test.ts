import { expect, it } from "vitest"
import { differences, facts } from "../../../../environments/views/compare.js"
import type { HistoryEntry } from "../../../../environments/history.js"
import { releaseSpec } from "../../../../environments/release.js"
import { shown } from "../../../../environments/views/secretive.js"

function entry(config: string, over: object = {}): HistoryEntry {
  const release = releaseSpec({
    service: "web",
    reference: "r/web@sha256:1",
    digest: "sha256:1",
    commit: "c0ffee",
    config,
    env: { LOG: "info", API_TOKEN: "t1" },
    port: 8080,
    readiness: "/ready",
    startupSeconds: 30,
    calls: [],
    resources: {},
    ...over,
  })
  return { release, generation: 1, at: "2026-01-01T00:00:00Z", replicas: 1 }
}
const between = (a: HistoryEntry | undefined, b: HistoryEntry | undefined) =>
  differences("web", facts(a), facts(b)).map((d) => `${d.what}: ${d.a ?? "-"} | ${d.b ?? "-"}`)

it("names what differs key by key, and nothing else", () => {
  const a = entry("shop: { banner: TEST, sizes: [1, 2], name: shop }\n")
  const b = entry("shop: { banner: PROD, sizes: [1, 3], name: shop, only: 1 }\n", { digest: "sha256:2" })
  expect(between(a, b)).toEqual([
    "digest: sha256:1 | sha256:2",
    "config shop.banner: TEST | PROD",
    "config shop.sizes: [1,2] | [1,3]",
    "config shop.only: - | 1",
  ])
  expect(between(a, a)).toEqual([])
})

it("shows no value that looks like a secret, and that it differs", () => {
  const a = entry("db: { url: 'mysql://u:p1@h/x' }\n")
  const b = entry("db: { url: 'mysql://u:p2@h/x' }\n", { env: { LOG: "info", API_TOKEN: "t2" } })
  expect(between(a, b)).toEqual(["variable API_TOKEN: *** | ***", "config db.url: *** | ***"])
})

it("an environment that nothing was deployed to lacks everything", () => {
  expect(between(entry("a: 1\n"), undefined)).toEqual(
    expect.arrayContaining(["commit: c0ffee | -", "config a: 1 | -", "variable API_TOKEN: *** | -"]),
  )
})

it.each([
  ["spring.datasource.password", "x", "***"],
  ["DB_PASSWORD", "x", "***"],
  ["payment.apiKey", "x", "***"],
  ["url", "https://example.com/a:b", "https://example.com/a:b"],
  ["url", "https://user:pw@example.com", "***"],
  ["header", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "***"],
  ["certificate", "-----BEGIN PRIVATE KEY-----", "***"],
  ["page-size", "20", "20"],
  ["monkey", "banana", "banana"],
])("%s: %s is shown as %s", (name, value, expected) => {
  expect(shown(name, value)).toBe(expected)
})
