import { describe, expect, it } from "vitest"
import { checkBinaries, holds } from "../../../../steps/sonarqube/binaries.js"

describe("compiled classes", () => {
  const files = ["target/classes/shop/Sum.class", "./modules/api/target/classes/A.class"]
  it.each([
    ["target/classes", true],
    ["./target/classes/", true],
    ["build/classes, target/classes", true],
    ["modules/*/target/classes", true],
    ["**/*.class", true],
    ["target/test-classes", false],
    ["target/class", false],
  ])("%s: %s", (paths, expected) => {
    expect(holds(paths, files)).toBe(expected)
  })

  it("that are named and not there are a mistake; nothing is wanted where none are named", async () => {
    await expect(checkBinaries({}, "/nowhere", [])).resolves.toBeUndefined()
    await expect(checkBinaries({ "sonar.java.binaries": "target/classes" }, "/nowhere", [])).rejects.toMatchObject({
      code: "SONAR-BINARIES",
      kind: "usage",
      hint: expect.stringContaining('keep: ["target/classes/**"]') as string,
    })
    // Committed classes are fine, too.
    await expect(checkBinaries({ "sonar.java.binaries": "tmp" }, "/", [])).resolves.toBeUndefined()
  })
})
