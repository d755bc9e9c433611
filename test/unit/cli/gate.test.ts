import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { keyPair } from "../approvals/samples.js"
import { gateFiles, lin, zhao } from "./gate-files.js"
import { makeProject } from "./rig.js"

describe("gantry approve and reject", () => {
  it("the whole way: waits, refuses the author, takes another, goes on", async () => {
    const { gantry, dir } = await makeProject(gateFiles([lin, zhao]))
    const first = await gantry("run", "release")
    expect(first.code).toBe(4)
    const id = first.stdout.trim()
    expect(first.stderr).toContain(`gantry approve ${id} --as "Lin Release" --reason`)

    const refused = await gantry("approve", id, "--as", "zhao author", "--reason", "mine")
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/APPROVAL-REFUSED: Zhao Author may not approve[^]*is an author of the commit/)
    expect((await gantry("approve", id, "--as", "Lni", "--reason", "x")).code).toBe(1)
    expect((await gantry("approve", id, "--as", "Lin Release", "--reason", " ")).code).toBe(2)
    expect((await gantry("resume", id)).code).toBe(4)

    const approved = await gantry("approve", "last", "--as", "lin@shop.example", "--reason", "tested", "--json")
    expect(approved.code).toBe(0)
    expect(approved.stderr).toMatch(
      /To prod: commit [0-9a-f]{12} of Zhao Author <zhao@shop.example>\nsvc sha256:111111111111 · no tests/,
    )
    expect(JSON.parse(approved.stdout)).toMatchObject({ decision: "approved", by: "Lin Release", run: id })
    const twice = await gantry("approve", id, "--as", "Lin Release", "--reason", "again")
    expect(twice.code).toBe(2)
    expect(twice.stderr).toMatch(/APPROVAL-SETTLED[^]*gantry resume/)

    expect((await gantry("resume", id)).code).toBe(0)
    expect(await readFile(join(dir, "rolled-out"), "utf8")).toBe("x")
    const late = await gantry("reject", id, "--as", "Lin Release", "--reason", "no")
    expect(late.code).toBe(2)
    expect(late.stderr).toContain("APPROVAL-LATE")
    expect((await gantry("approve", "nope", "--as", "Lin Release", "--reason", "x")).code).toBe(2)
  })

  it("rejected is failed, for good", async () => {
    const { gantry } = await makeProject(gateFiles([lin]))
    await gantry("run", "release")
    const rejected = await gantry("reject", "last", "--as", "Lin Release", "--reason", "broken cart", "--resume")
    expect(rejected.code).toBe(1)
    expect(rejected.stderr).toMatch(/GATE-REJECTED[^]*broken cart/)
    const late = await gantry("approve", "last", "--as", "Lin Release", "--reason", "x")
    expect(late.code).toBe(2)
    expect(late.stderr).toContain("APPROVAL-SETTLED: Lin Release has rejected this release")
  })

  it("signs with a key where one is configured", async () => {
    const key = keyPair()
    const { gantry, dir } = await makeProject(gateFiles([{ ...lin, publicKey: key.publicKey }]))
    await gantry("run", "release")
    const approve = (...more: string[]) => gantry("approve", "last", "--as", "Lin Release", "--reason", "x", ...more)
    expect((await approve()).stderr).toContain("APPROVAL-UNSIGNED")
    await writeFile(join(dir, "key.pem"), key.privateKey)
    await writeFile(join(dir, "other.pem"), keyPair().privateKey)
    expect((await approve("--key", join(dir, "none.pem"))).stderr).toMatch(
      /APPROVAL-KEY: The key .*none\.pem cannot be read/,
    )
    expect((await approve("--key", join(dir, "other.pem"))).stderr).toContain(
      "APPROVAL-KEY: This is not the key of Lin Release",
    )
    const { code, stderr } = await approve("--key", join(dir, "key.pem"), "--resume")
    expect({ code, out: await readFile(join(dir, "rolled-out"), "utf8") }).toEqual({ code: 0, out: "x" })
    expect(stderr).not.toContain("PRIVATE KEY")
  })
})
