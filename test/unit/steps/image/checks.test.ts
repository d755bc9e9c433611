import { expect, it } from "vitest"
import type { ImageConfig } from "../../../../clients/registry/index.js"
import { checkImage } from "../../../../steps/image/checks.js"
import { imageLabels } from "../../../../steps/image/labels.js"
import { ServiceDeclaration, type Service } from "../../../../steps/service.js"

const service = (sizeBudgetMB?: number): Service => ({
  ...ServiceDeclaration.parse({
    name: "catalog",
    toolchain: { image: "node:22" },
    build: sizeBudgetMB === undefined ? {} : { sizeBudgetMB },
    tests: {},
    health: {},
  }),
  path: "services/catalog",
})

type Config = NonNullable<ImageConfig["config"]>
const fine: Config = { User: "10001:10001", Healthcheck: { Test: ["CMD", "true"] } }
const archive = (config: Config | undefined, size = 40e6) => ({
  size,
  config: { architecture: "amd64", os: "linux", ...(config === undefined ? {} : { config }) },
})

it.each<[string, Config | undefined, string]>([
  ["nothing at all", undefined, "IMAGE-USER"],
  ["no user", { ...fine, User: "" }, "IMAGE-USER"],
  ["root", { ...fine, User: "root" }, "IMAGE-USER"],
  ["root with a group", { ...fine, User: "root:app" }, "IMAGE-USER"],
  ["number 0", { ...fine, User: "0" }, "IMAGE-USER"],
  ["number 00:1", { ...fine, User: "00:1" }, "IMAGE-USER"],
  ["no health check", { User: "app" }, "IMAGE-HEALTHCHECK"],
  ["health check NONE", { User: "app", Healthcheck: { Test: ["NONE"] } }, "IMAGE-HEALTHCHECK"],
  ["an empty health check", { User: "app", Healthcheck: { Test: [] } }, "IMAGE-HEALTHCHECK"],
])("refuses an image with %s", (_what, config, code) => {
  expect(() => checkImage(archive(config), service())).toThrow(
    expect.objectContaining({ code, kind: "failed" }) as Error,
  )
})

it.each<[string, Config]>([
  ["a number", fine],
  ["a name that begins with root", { ...fine, User: "rootless" }],
  ["a number that begins with 0", { ...fine, User: "010" }],
])("takes a user that is %s", (_what, config) => {
  expect(() => checkImage(archive(config), service())).not.toThrow()
})

it("compares the size with the budget", () => {
  expect(() => checkImage(archive(fine, 120e6), service(120))).not.toThrow()
  expect(() => checkImage(archive(fine, 120e6 + 1), service(120))).toThrow(
    expect.objectContaining({
      code: "IMAGE-SIZE",
      message: expect.stringContaining("budget is 120 MB") as string,
    }) as Error,
  )
})

it("labels an image with its commit, and never calls a dirty work tree a commit", () => {
  const source = {
    commit: "c".repeat(40),
    tree: "t".repeat(40),
    dirty: false,
    author: { name: "a", email: "b" },
    date: "2026-03-01T10:00:00+08:00",
    subject: "s",
    changed: [],
    services: {},
  }
  expect(imageLabels({ name: "catalog" }, source)).toEqual({
    "org.opencontainers.image.title": "catalog",
    "org.opencontainers.image.revision": "c".repeat(40),
    "org.opencontainers.image.created": "2026-03-01T10:00:00+08:00",
  })
  const dirty = imageLabels({ name: "catalog" }, { ...source, dirty: true })["org.opencontainers.image.revision"]
  expect(dirty).toContain("dirty")
})
