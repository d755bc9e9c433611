import { expect, test } from "vitest"
import { goBuildPath } from "../../../engine/supply/go.js"
import { trivyBuild } from "../../../engine/recipes/trivy.js"

test("what lays out a build's sources is part of its identity, and a build without it keeps its own", async () => {
  const plain = await goBuildPath("/home", trivyBuild)
  const prepared = (script: string, folder: string) =>
    goBuildPath("/home", { ...trivyBuild, prepare: { script, folder } })
  expect(await goBuildPath("/home", { ...trivyBuild, title: "under another title" })).toBe(plain)
  const all = [
    plain,
    await prepared("a.sh", "/tmp/x"),
    await prepared("b.sh", "/tmp/x"),
    await prepared("a.sh", "/tmp/y"),
  ]
  expect(new Set(all).size).toBe(4)
})
