import { chmod, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { environmentSecrets, readSecrets, withholdSecrets } from "../../../core/secrets.js"
import { temporaryProject, thrown } from "./rig.js"

describe("environmentSecrets", () => {
  it("reads the environment, then the file that <NAME>_FILE names", async () => {
    const dir = await temporaryProject()
    await writeFile(join(dir, "t"), " from file \n")
    await writeFile(join(dir, "empty"), "\n")
    const source = environmentSecrets({
      A: "from env",
      A_FILE: join(dir, "t"),
      B_FILE: join(dir, "t"),
      C: "",
      C_FILE: join(dir, "t"),
      D: "",
      E_FILE: join(dir, "empty"),
    })
    expect(await source.read("A")).toBe("from env")
    expect(await source.read("B")).toBe(" from file ")
    expect(await source.read("C")).toBe(" from file ")
    expect(await source.read("D")).toBeUndefined()
    expect(await source.read("E")).toBeUndefined()
    expect(await source.read("F")).toBeUndefined()
  })

  it("names the file that cannot be read", async () => {
    const file = join(await temporaryProject(), "missing")
    expect(await thrown(() => environmentSecrets({ T_FILE: file }).read("T"))).toMatchObject({
      code: "SECRET-FILE",
      kind: "usage",
      reason: expect.stringContaining(file) as string,
    })
    await writeFile(file, "x")
    await chmod(file, 0o600)
    expect(await environmentSecrets({ T_FILE: file }).read("T")).toBe("x")
  })
})

describe("withholdSecrets", () => {
  it("takes them out of the environment, and keeps them for who reads secrets", async () => {
    const file = join(await temporaryProject(), "t")
    await writeFile(file, "from file")
    const env = { A: "1", B_FILE: file, PATH: "/bin" }
    withholdSecrets(env, ["A", "B", "MISSING"])
    withholdSecrets(env, ["A"])
    expect(env).toEqual({ PATH: "/bin" })
    const source = environmentSecrets(env)
    expect(await source.read("A")).toBe("1")
    expect(await source.read("B")).toBe("from file")
    expect(await environmentSecrets({ ...env }).read("A")).toBeUndefined()
  })
})

describe("readSecrets", () => {
  const wanted = new Map([
    ["A", ["one"]],
    ["B", ["one", "two"]],
    ["C", ["three"]],
  ])

  it("names every secret that is missing and who wants it", async () => {
    expect(await thrown(() => readSecrets(environmentSecrets({ A: "x" }), wanted))).toMatchObject({
      code: "SECRET-MISSING",
      kind: "usage",
      message: "2 secrets are missing: B (for one, two); C (for three)",
      hint: expect.stringContaining("export B=") as string,
    })
  })

  it("hands out values that JSON does not show", async () => {
    const secrets = await readSecrets(environmentSecrets({ A: "value-a", B: "b", C: "c" }), wanted)
    expect(secrets.get("A")?.plaintext()).toBe("value-a")
    expect(JSON.stringify(secrets.get("A"))).toBe('{"name":"A"}')
  })
})
