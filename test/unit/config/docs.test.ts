import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, it } from "vitest"
import { knownFields } from "../../../config/fields.js"
import { ProjectConfig } from "../../../config/schema.js"

const page = await readFile(join(import.meta.dirname, "../../../docs/configuration.md"), "utf8")

/** Sections whose fields docs/configuration.md lists itself; those of `scan` and `strategy` have pages of their own. */
it.each<[string[]]>([
  [[]],
  [["environments", "any"]],
  [["environments", "any", "approvals"]],
  [["environments", "any", "resources"]],
  [["approvers", "0"]],
  [["engine"]],
  [["engine", "docker"]],
  [["engine", "dagger"]],
  [["engine", "registry"]],
  [["engine", "registry", "harbor"]],
  [["engine", "sonarqube"]],
  [["engine", "ports"]],
  [["engine", "trivy"]],
  [["ci"]],
  [["ci", "gitlab"]],
  [["ci", "github"]],
  [["ci", "cache"]],
])("docs/configuration.md names every field of %j", (path) => {
  const fields = knownFields(ProjectConfig, path)
  expect(fields.length).toBeGreaterThan(0)
  for (const field of fields) expect(page).toMatch(new RegExp(`\`([a-z]+\\.)*${field}(\\.\\w+)*\``))
})
