import { describe, expect, it } from "vitest"
import { settled } from "../../../../../environments/kubernetes/dependencies/lots.js"

const secret = (password: string, name = "mysql") => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, namespace: "shop-test" },
  data: { user: "c2hvcA==", password },
})
const set = (checksum: string, image = "mysql:8.4") => ({
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { name: "mysql", namespace: "shop-test" },
  spec: {
    template: {
      metadata: { annotations: { checksum } },
      spec: { containers: [{ name: "mysql", image, args: ["a"] }] },
    },
  },
})

describe("what a chart draws by lot", () => {
  it("is drawn by the first rendering where nothing was drawn before", () => {
    const { objects } = settled("mysql", [secret("one"), set("x1")], [secret("two"), set("x2")], [])
    expect(objects).toEqual([secret("one"), set("x1")])
  })

  it("stays what it was, and what follows from it too", () => {
    const before = [secret("first"), set("x0")]
    const { objects } = settled("mysql", [secret("one"), set("x1")], [secret("two"), set("x2")], before)
    expect(objects).toEqual(before)
  })

  it("stays also when something else is changed", () => {
    const before = [secret("first"), set("x0", "mysql:8.0")]
    const { objects } = settled("mysql", [secret("one"), set("x1")], [secret("two"), set("x2")], before)
    expect(objects).toEqual([secret("first"), set("x0", "mysql:8.4")])
  })

  it("is no part of the identity: the same input has the same hash, another one another", () => {
    const hash = (a: string, b: string, image?: string) =>
      settled("mysql", [secret(a), set(a, image)], [secret(b), set(b, image)], []).hash
    expect(hash("1", "2")).toBe(hash("3", "4"))
    expect(hash("1", "2")).not.toBe(hash("1", "2", "mysql:9"))
    // What somebody has set by values is no lot.
    expect(hash("set", "set")).not.toBe(hash("other", "other"))
  })

  it("does not hold back what was set by values since", () => {
    const { objects } = settled("mysql", [secret("mine")], [secret("mine")], [secret("drawn")])
    expect(objects).toEqual([secret("mine")])
  })

  it("may not be the name of an object", () => {
    expect(() => settled("mysql", [secret("a", "mysql-x1")], [secret("a", "mysql-x2")], [])).toThrow(
      expect.objectContaining({ code: "DEPENDENCY-NAMES", reason: "v1 Secret mysql-x1" }) as Error,
    )
  })
})
