import { expect, it } from "vitest"
import { serviceHash, type TreeEntry } from "../../../../steps/checkout/tree.js"

const file = (path: string, object = "a".repeat(40), mode = "100644"): TreeEntry => ({ path, object, mode })
const tree = [file("catalog/a.js"), file("catalog-web/a.js"), file("shared/x/y.js"), file("README.md")]

it.each<[string, readonly TreeEntry[], boolean]>([
  ["nothing", tree, false],
  [
    "a file of a folder whose name begins alike",
    [...tree.slice(0, 1), file("catalog-web/a.js", "b".repeat(40)), ...tree.slice(2)],
    false,
  ],
  ["a file outside", [...tree, file("docs/b.md")], false],
  ["its content", [file("catalog/a.js", "b".repeat(40)), ...tree.slice(1)], true],
  ["its mode", [file("catalog/a.js", "a".repeat(40), "100755"), ...tree.slice(1)], true],
  ["its name", [file("catalog/b.js"), ...tree.slice(1)], true],
  ["a new file", [...tree, file("catalog/new.js")], true],
  ["a declared input", [...tree.slice(0, 2), file("shared/x/y.js", "b".repeat(40)), ...tree.slice(3)], true],
  ["a new declared input", [...tree, file("shared/z.js")], true],
])("a service's hash and a change of %s", (_what, changed, differs) => {
  const before = serviceHash(tree, "catalog", ["shared/**"])
  const after = serviceHash(changed, "catalog", ["shared/**"])
  expect(before).toMatch(/^[0-9a-f]{64}$/)
  expect(after !== before).toBe(differs)
})

it("takes the whole project, a path with a dot or a slash, and knows a folder that is not there", () => {
  expect(serviceHash(tree, ".", [])).toBeDefined()
  expect(serviceHash(tree, "./catalog/", [])).toBe(serviceHash(tree, "catalog", []))
  expect(serviceHash(tree, "order", ["shared/**"])).toBeUndefined()
})
