import { describe, expect, it } from "vitest"
import { affectedServices } from "../../../ci/affected.js"
import { settingsOf } from "./settings.js"

const settings = settingsOf(
  { catalog: { path: "shop/catalog" }, order: { path: "shop/order", inputs: ["libs/money/**"], config: "orders" } },
  { configRepo: "config" },
)
const both = ["catalog", "order"]

describe("affected services", () => {
  it.each<[string, string[] | undefined, string[]]>([
    ["its own folder", ["shop/catalog/src/main.js"], ["catalog"]],
    ["both folders", ["shop/catalog/a", "shop/order/b"], both],
    ["a declared input", ["libs/money/src/index.ts"], ["order"]],
    ["its folder in the config repository", ["config/orders/application-prod.yml"], ["order"]],
    ["the default folder there", ["config/service-catalog/application.yml"], ["catalog"]],
    ["what all services share there", ["config/service-common/application.yml"], both],
    ["the pipeline", ["gantry.config.ts"], both],
    ["a lock file of nobody", ["package-lock.json", "shop/catalog/a"], both],
    ["a folder whose name begins alike", ["shop/catalog-api/main.js"], both],
    ["documentation", ["docs/a/b.md", "README.md"], []],
    ["documentation in a service is part of it", ["shop/order/README.md"], ["order"]],
    ["nothing", [], []],
    ["not known", undefined, both],
  ])("%s", (_, changed, expected) => {
    const { affected, skipped } = affectedServices(settings, changed)
    expect(affected.map((s) => s.name)).toEqual(expected)
    expect(skipped.map((s) => s.service.name)).toEqual(both.filter((name) => !expected.includes(name)))
  })
  it("says why one is skipped, and which file makes it all of them", () => {
    expect(affectedServices(settings, ["shop/catalog/a"]).skipped[0]?.reason).toBe(
      "nothing of order changed (shop/order/**, libs/money/**, config/orders/**)",
    )
    expect(affectedServices(settings, ["shop/catalog/a", "tools/x.ts"]).all).toContain("tools/x.ts")
  })
  it("ignores what the configuration says", () => {
    const own = settingsOf({ catalog: {} }, { ci: { ignore: ["docs/**"] } })
    expect(affectedServices(own, ["docs/logo.png"]).affected).toEqual([])
    expect(affectedServices(own, ["README.md"]).affected).toHaveLength(1)
  })
  it("a project that is one service has nothing outside of it", () => {
    const own = settingsOf({ catalog: { path: "." } })
    expect(affectedServices(own, ["README.md"]).affected).toHaveLength(1)
  })
})
