import { expect, it } from "vitest"
import { engineConfig } from "../../../../engine/config.js"
import { placeOf, tagOf } from "../../../../steps/push/place.js"

it("is the stack's own registry, or the Harbor that is configured", () => {
  expect(placeOf(engineConfig.parse({ ports: { registry: 5005, sonarqube: 9000 } }), "shop", "catalog")).toEqual({
    url: "http://127.0.0.1:5005",
    host: "127.0.0.1:5005",
    repository: "shop/catalog",
    username: undefined,
    passwordSecret: undefined,
    embedded: true,
  })
  const harbor = {
    url: "https://harbor.example:8443/",
    project: "heike",
    username: "robot$heike+gantry",
    passwordEnv: "HARBOR_PASSWORD",
  }
  expect(placeOf(engineConfig.parse({ registry: { harbor } }), "shop", "catalog")).toEqual({
    url: "https://harbor.example:8443",
    host: "harbor.example:8443",
    repository: "heike/catalog",
    username: "robot$heike+gantry",
    passwordSecret: "HARBOR_PASSWORD",
    embedded: false,
  })
})

it("names a tag after the commit, or after the tree of a dirty work tree", () => {
  const source = { commit: "c".repeat(40), tree: "t".repeat(40), dirty: false }
  expect(tagOf(source)).toBe(`sha-${"c".repeat(40)}`)
  expect(tagOf({ ...source, dirty: true })).toBe(`dirty-${"t".repeat(40)}`)
})
