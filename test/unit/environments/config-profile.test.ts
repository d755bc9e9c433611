import { mkdir, mkdtemp, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { describe, expect, it } from "vitest"
import { configFiles, configProfile, mergeConfig, parseConfig } from "../../../environments/config-profile.js"

async function repository(files: Record<string, string>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "gantry-config-"))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true })
    await writeFile(join(dir, name), text)
  }
  return dir
}

describe("configuration of a service in an environment", () => {
  it("takes common before service, general before profile", () => {
    expect(configFiles("service-catalog", "uat")).toEqual([
      "service-common/application.yml",
      "service-common/application-uat.yml",
      "service-catalog/application.yml",
      "service-catalog/application-uat.yml",
    ])
  })

  it.each([
    ["maps are merged key by key", { a: { x: 1, y: 2 } }, { a: { y: 3 } }, { a: { x: 1, y: 3 } }],
    ["lists are replaced", { a: [1, 2] }, { a: [3] }, { a: [3] }],
    ["a value replaces a map", { a: { x: 1 } }, { a: 5 }, { a: 5 }],
    ["a map replaces a value", { a: 5 }, { a: { x: 1 } }, { a: { x: 1 } }],
    ["null takes away", { a: 1, b: 2 }, { a: null }, { b: 2 }],
    ["false and 0 are values", { a: true, b: 1 }, { a: false, b: 0 }, { a: false, b: 0 }],
  ])("%s", (_, base, over, merged) => {
    expect(mergeConfig(base, over)).toEqual(merged)
  })

  it("gives each environment its own values, and none of another's", async () => {
    const dir = await repository({
      "service-common/application.yml": "shop: { name: shop, level: INFO }\n",
      "service-common/application-test.yml": "shop: { level: DEBUG }\n",
      "service-common/application-prod.yml": "prod-only: 1\n",
      "service-web/application.yml": "web:\n  size: 20\n  nested: { a: 1 }\n",
      "service-web/application-test.yml": "web:\n  nested: { b: 2 }\n",
    })
    expect(await configProfile(dir, "service-web", "test")).toBe(
      "shop:\n  level: DEBUG\n  name: shop\nweb:\n  nested:\n    a: 1\n    b: 2\n  size: 20\n",
    )
    expect(await configProfile(dir, "service-web", "prod")).toContain("prod-only: 1")
    expect(await configProfile(dir, "service-none", "dev")).toBe("shop:\n  level: INFO\n  name: shop\n")
  })

  it("is the same text for the same settings, however they are written", async () => {
    const one = await repository({ "service-web/application.yml": "b: 1\na: { y: 2, x: 1 }\n" })
    const two = await repository({ "service-web/application.yml": "# hello\na:\n  x: 1\n  y: 2\nb: 1\n" })
    expect(await configProfile(one, "service-web", "test")).toBe(await configProfile(two, "service-web", "test"))
  })

  it.each([
    ["a: [1\nb: 2\n", /^service-web\/application\.yml:\d+:\d+ is not valid YAML/],
    ["a: 1\na: 2\n", /^service-web\/application\.yml:2:1 is not valid YAML: Map keys must be unique/],
    ["- a\n", /^service-web\/application\.yml:1 is not valid YAML: the file must hold a map/],
  ])("names file and line of %j", (yaml, message) => {
    expect(() => parseConfig("service-web/application.yml", yaml)).toThrow(
      expect.objectContaining({ code: "CONFIG-YAML", message: expect.stringMatching(message) as string }),
    )
  })

  it("takes an empty file for no settings", () => {
    expect(parseConfig("f", "# nothing\n")).toEqual({})
  })
})
