import { describe, expect, it } from "vitest"
import { sourceLine, yamlLine } from "../../../config/locate.js"

const config = `import { defineConfig } from "gantry-ci/config"

// project: "not this one"
export default defineConfig({
  project: "shop", // environments: {}
  services: [
    "a",
    "examples/{b}",
  ],
  /* approvers: [] */
  approvers: [
    { name: "Lin, Release", email: "lin@shop.example" },
    {
      name: 'O\\'Neil {',
      "email": "wang@shop.example",
    },
  ],
  environments: {
    test: { replicas: 1, ports: { a: 8080 } },
    prod: {
      replicas: 3,
      approvals: { required: 1 },
    },
  },
  pipelines: {
    first: (settings) => {
      const environments = { prod: 1 }
      return pipeline("x", { targets: [\`\${environments}\`, settings] })
    },
    second,
  },
  engine,
})
`

describe("a field of the configuration", () => {
  it.each<[PropertyKey[], number]>([
    [["project"], 5],
    [["services"], 6],
    [["services", 0], 7],
    [["services", 1], 8],
    [["services", 5], 6],
    [["approvers"], 11],
    [["approvers", 0], 12],
    [["approvers", 0, "email"], 12],
    [["approvers", 1], 13],
    [["approvers", 1, "name"], 14],
    [["approvers", 1, "email"], 15],
    [["approvers", 1, "role"], 13],
    [["environments", "prod"], 20],
    [["environments", "prod", "approvals", "required"], 22],
    [["environments", "prod", "profile"], 20],
    [["environments", "test", "ports", "a"], 19],
    [["environments", "uat"], 18],
    [["pipelines"], 25],
    [["pipelines", "second"], 30],
    [["pipelines", "second", "steps"], 30],
    [["engine"], 32],
    [["engine", "ports", "registry"], 32],
    [["scan"], 4],
    [[], 4],
  ])("%j is on line %i", (path, line) => {
    expect(sourceLine(config, path)).toBe(line)
  })

  it.each([
    ["a plain object", "export default {\n  project: 1,\n}", 2],
    ["an object in brackets", "export default ({\n  project: 1,\n})", 2],
    ["with satisfies", "export default {\n  project: 1,\n} satisfies X", 2],
    ["with a name", "const config: Config = {\n  project: 1,\n}\nexport default config\n", 2],
    ["with a name and a call", "const c = defineConfig({\n  project: 1,\n})\nexport default c", 2],
    ["the key in quotes", 'export default {\n  "project": 1 }', 2],
    ["after a spread", "export default {\n  ...base({ project: 2 }),\n  project: 1 }", 3],
    ["after a computed key", "export default {\n  [project]: 2,\n  project: 1 }", 3],
    ["Windows line ends", "export default {\r\n  a: 1,\r\n  project: 1 }", 3],
    ["broken off", "export default {\n  a: {", 1],
  ])("%s", (_, text, line) => {
    expect(sourceLine(text, ["project"])).toBe(line)
  })

  it.each([
    ["no default export", "export const a = {\n project: 1 }"],
    ["one that is made elsewhere", 'import c from "./c.ts"\nexport default c'],
    ["a function", "export default () => 1"],
    ["nothing", ""],
  ])("is nowhere with %s", (_, text) => {
    expect(sourceLine(text, ["project"])).toBeUndefined()
  })
})

const service = `name: catalog
toolchain:
  image: node:22
  caches:
    - path: /a
      key: [x]
    - path: /b
tests:
  unit: { run: npm test,
    junit: [a.xml] }
`
it.each<[PropertyKey[], number | undefined]>([
  [["name"], 1],
  [["toolchain"], 2],
  [["toolchain", "caches", 1, "path"], 7],
  [["toolchain", "caches", 1, "keys"], 7],
  [["tests", "unit", "junit", 0], 10],
  [["health"], undefined],
  [[], undefined],
])("YAML: %j is on line %s", (path, line) => {
  expect(yamlLine(service, path)).toBe(line)
})
