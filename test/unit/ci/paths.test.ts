import { expect, it } from "vitest"
import { affectedServices } from "../../../ci/affected.js"
import { fewer, sharedPaths } from "../../../ci/paths.js"
import { matchesGlob } from "../../../core/condition.js"
import { settingsOf } from "./settings.js"

const settings = settingsOf(
  { catalog: { path: "shop/catalog" }, order: { path: "shop/order" } },
  { configRepo: "shop/config", ci: { ignore: ["**/*.md"] } },
)
const files = [
  "README.md", "package.json", "package-lock.json", "LICENSE", "gantry.config.ts",
  "docs/a.md", "docs/b/c.md", "libs/money/a.ts", "libs/README.md",
  "shop/README.md", "shop/compose.yaml", "shop/catalog/a.js", "shop/order/b.java",
  "shop/config/service-common/application.yml", "shop/config/service-catalog/application.yml",
] // prettier-ignore

it("names folders and kinds of files that belong to no service", () => {
  expect(sharedPaths(settings, files)).toEqual([
    "*.json", "*.ts", "*.yml", "LICENSE", "libs/**", "shop/*.yaml", "shop/config/service-common/**", ".gitlab/**", ".github/**",
  ]) // prettier-ignore
})
it("covers whatever makes all services affected", () => {
  const paths = sharedPaths(settings, files)
  for (const file of files) {
    const all = affectedServices(settings, [file]).all !== undefined
    if (all)
      expect(
        paths.some((glob) => matchesGlob(glob, file)),
        file,
      ).toBe(true)
  }
})
it("leaves a list alone that is short enough", () => expect(fewer(["a", "b/**"], 2)).toEqual(["a", "b/**"]))
it("puts folders together from the bottom up", () => {
  expect(fewer(["a/b/c/**", "a/b/d/**", "x/y.js"], 2)).toEqual(["a/b/**", "x/y.js"])
  expect(fewer(["a/b/c/**", "a/d/**", "x/y.js"], 2)).toEqual(["a/**", "x/**"])
})
it("says when only everything would do", () => {
  expect(fewer(["a", "b", "c"], 2)).toBeUndefined()
  expect(fewer(["**"], 2)).toBeUndefined()
})
