import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { defaultsTemplate, valuesSchema, valuesYaml } from "../../../../environments/kubernetes/values-files.js"

const chart = join(import.meta.dirname, "../../../../environments/kubernetes/chart")

describe("the chart's files that are made from the typed values", () => {
  it("values.schema.json is the committed one", async () => {
    await expect(JSON.stringify(valuesSchema(), null, 2) + "\n").toMatchFileSnapshot(join(chart, "values.schema.json"))
  })

  it("values.yaml is the committed one", async () => {
    await expect(valuesYaml()).toMatchFileSnapshot(join(chart, "values.yaml"))
  })

  it("the templates' defaults are the committed ones", async () => {
    await expect(defaultsTemplate()).toMatchFileSnapshot(join(chart, "templates/_defaults.tpl"))
  })
})
