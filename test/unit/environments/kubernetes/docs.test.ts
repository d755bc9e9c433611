import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, it } from "vitest"
import { valuesTable } from "../../../../environments/kubernetes/values-files.js"

it("docs/kubernetes-chart.md has the table of the values as they are", async () => {
  const page = await readFile(join(import.meta.dirname, "../../../../docs/kubernetes-chart.md"), "utf8")
  expect(page).toContain(`\n${valuesTable()}\n`)
})
