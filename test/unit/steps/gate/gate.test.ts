import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { keyPair } from "../../approvals/samples.js"
import { digestOf, lin, makeWorld, removeTemplates, wang, zhao } from "./world.js"

afterAll(removeTemplates)

const evidenceIn = async (dir: string) =>
  (
    JSON.parse(await readFile(join(dir, "approvals/gate/evidence.json"), "utf8")) as {
      evidence: Record<string, unknown>
    }
  ).evidence

describe("the way through the gate", () => {
  it("waits with the command to type, goes on after the approval, and deploys once", async () => {
    const world = await makeWorld()
    const first = await world.run()
    expect(first.record.status).toBe("waiting")
    const { id } = first.record
    expect(first.step("gate")).toMatchObject({
      status: "waiting",
      error: {
        code: "GATE-WAITING",
        hint: expect.stringContaining(`gantry approve ${id} --as "Lin Release"`) as string,
      },
    })
    expect(first.step("gate")?.error?.reason).toContain("Wang Ops")
    expect(first.step("gate")?.error?.reason).not.toContain("Zhao")
    expect(world.rolledOut).toEqual([])

    const again = await world.resume(id)
    expect(again.record.status).toBe("waiting")

    await world.decide(id, lin)
    const last = await world.resume(id)
    expect(last.record.status).toBe("success")
    expect(world.rolledOut).toEqual([`catalog ${digestOf("catalog")}`])
    expect(last.step("gate")).toMatchObject({
      status: "success",
      output: { decision: "approved", by: "Lin Release", reason: "tested" },
      reports: [{ kind: "approval", by: "Lin Release", decision: "approved" }],
    })
    await world.resume(id)
    expect(world.rolledOut).toHaveLength(1)
  })

  it("a rejection ends the run as failed, and stands", async () => {
    const world = await makeWorld()
    const { record } = await world.run()
    await world.decide(record.id, wang, "rejected")
    const last = await world.resume(record.id)
    expect(last.record.status).toBe("failed")
    expect(last.step("gate")).toMatchObject({ status: "failed", error: { code: "GATE-REJECTED", reason: "tested" } })
    expect(last.step("catalog.rollout-prod")).toMatchObject({ status: "skipped" })
    await expect(world.decide(record.id, lin)).rejects.toMatchObject({ code: "APPROVAL-SETTLED" })
    expect((await world.resume(record.id)).record.status).toBe("failed")
    expect(world.rolledOut).toEqual([])
  })

  it("asks for as many people as the environment demands, of its roles", async () => {
    const approvals = { required: 2, roles: ["release-manager", "operations"] }
    const world = await makeWorld({ prod: { approvals } })
    const { record, step } = await world.run()
    expect(step("gate")?.error?.message).toBe("Waiting for 2 people to decide about prod")
    await world.decide(record.id, lin)
    await expect(world.decide(record.id, "LIN RELEASE")).rejects.toMatchObject({ code: "APPROVAL-TWICE" })
    const half = await world.resume(record.id)
    expect(half.record.status).toBe("waiting")
    expect(half.step("gate")?.error?.reason).toMatch(/^Approved so far by Lin Release\. May approve: Wang Ops/)
    await world.decide(record.id, wang)
    const last = await world.resume(record.id)
    expect(last.record.status).toBe("success")
    expect(last.step("gate")).toMatchObject({ output: { by: "Lin Release, Wang Ops" } })
  })

  it("says so when nobody may approve", async () => {
    const world = await makeWorld({ approvers: [zhao] })
    const { step } = await world.run()
    expect(step("gate")?.error?.reason).toMatch(/May approve: nobody/)
    expect(step("gate")?.error?.hint).toMatch(/List more `approvers`/)
  })

  it("takes a signature where a key is configured, and nothing else", async () => {
    const key = keyPair()
    const signer = { ...lin, publicKey: key.publicKey }
    const world = await makeWorld({ approvers: [signer] })
    const { record } = await world.run()
    await expect(world.decide(record.id, lin)).rejects.toMatchObject({ code: "APPROVAL-UNSIGNED" })
    await expect(world.decide(record.id, lin, "approved", { privateKey: keyPair().privateKey })).rejects.toMatchObject({
      code: "APPROVAL-KEY",
    })
    await world.decide(record.id, lin, "approved", { privateKey: key.privateKey })
    expect((await world.resume(record.id)).record.status).toBe("success")
  })
})

describe("the evidence", () => {
  it("names all that is decided about, for the services of the run alone", async () => {
    const world = await makeWorld({ message: "A change\n\nCo-authored-by: Wang Ops <wang@shop.example>\n" })
    const { record, store } = await world.run(["catalog"])
    expect(await evidenceIn(store.runDir(record.id))).toEqual({
      run: record.id,
      gate: "gate",
      environment: "prod",
      commit: world.commit,
      tree: world.git("rev-parse", "HEAD^{tree}"),
      authors: [
        { name: zhao.name, email: zhao.email },
        { name: wang.name, email: wang.email },
      ],
      demands: { required: 1, roles: [], expiresAfterHours: 24 },
      rollout: expect.objectContaining({ replicas: 3, profile: "prod" }) as object,
      services: [
        {
          service: "catalog",
          reference: `127.0.0.1:5000/shop/catalog@${digestOf("catalog")}`,
          digest: digestOf("catalog"),
          scan: { counts: { HIGH: 0 }, exceptions: 0, database: null },
          quality: null,
          tests: [{ suite: "catalog.acceptance", total: 4, failed: 0 }],
          migration: null,
          deployments: [{ environment: "test", digest: digestOf("catalog"), configHash: "c0" }],
        },
      ],
    })
    await expect(world.decide(record.id, wang)).rejects.toMatchObject({
      code: "APPROVAL-REFUSED",
      reason: "Wang Ops is an author of the commit",
    })
  })

  it.each<[string, (world: Awaited<ReturnType<typeof makeWorld>>) => void, RegExp]>([
    ["another digest was scanned", (w) => (w.results.scanned = () => digestOf("x")), /scanned is nothing/],
    ["another digest was built", (w) => (w.results.built = () => digestOf("x")), /built is sha256/],
    ["another digest runs in TEST", (w) => (w.results.deployed = () => digestOf("x")), /deployed to test is sha256/],
    [
      "the reference names another digest",
      (w) => (w.results.reference = () => "r/catalog@sha256:0"),
      /deployed would be/,
    ],
    ["the reference names a tag", (w) => (w.results.reference = () => "r/catalog:latest"), /deployed would be/],
    ["another tree was checked out", (w) => (w.results.source = { tree: "f".repeat(40) }), /is not the tree of commit/],
    ["another commit was checked out", (w) => (w.results.source = { commit: "f".repeat(40) }), /the checkout is of/],
    ["it is a work tree", (w) => (w.results.source = { dirty: true }), /work tree/],
  ])("is not put up when %s", async (_, change, reason) => {
    const world = await makeWorld()
    change(world)
    const { record, step } = await world.run()
    expect(record.status).toBe("failed")
    expect(step("gate")?.error).toMatchObject({
      code: "GATE-INCONSISTENT",
      reason: expect.stringMatching(reason) as string,
    })
    await expect(world.decide(record.id, lin)).rejects.toMatchObject({ code: "APPROVAL-NOTHING" })
  })

  it("takes the author from the commit, whatever the checkout's record says", async () => {
    const world = await makeWorld()
    world.results.source = { author: { name: "Somebody Else", email: "else@shop.example" } }
    const { record } = await world.run()
    await expect(world.decide(record.id, zhao)).rejects.toMatchObject({ code: "APPROVAL-REFUSED" })
  })

  it("takes the author from the commit, whatever `git replace` says", async () => {
    const world = await makeWorld()
    const forged = world.git(
      "-c",
      "user.name=Mallory",
      "-c",
      "user.email=m@x.example",
      "commit-tree",
      "HEAD^{tree}",
      "-m",
      "A change", // prettier-ignore
    )
    world.git("replace", "HEAD", forged)
    const { record } = await world.run()
    await expect(world.decide(record.id, zhao)).rejects.toMatchObject({ code: "APPROVAL-REFUSED" })
  })
})

describe("decisions that come too early, too late or twice", () => {
  it("nothing waits in a run without a gate", async () => {
    const world = await makeWorld()
    world.results.deployed = () => "sha256:other"
    const { record } = await world.run()
    await expect(world.decide(record.id, lin)).rejects.toMatchObject({ code: "APPROVAL-NOTHING" })
  })
  it("an unknown gate, with the nearest name", async () => {
    const world = await makeWorld()
    const { record } = await world.run()
    for (const gate of ["gat", "../../x", "gate/.."]) {
      await expect(world.decide(record.id, lin, "approved", { gate })).rejects.toMatchObject({ code: "APPROVAL-GATE" })
    }
    await expect(world.decide(record.id, lin, "approved", { gate: "gat" })).rejects.toThrow('did you mean "gate"?')
  })
  it("an unknown run", async () => {
    const world = await makeWorld()
    await expect(world.decide("nope", lin)).rejects.toMatchObject({ code: expect.stringMatching(/^RUN-/) as string })
  })
  it("a reason is needed, and an approver", async () => {
    const world = await makeWorld()
    const { record } = await world.run()
    await expect(world.decide(record.id, lin, "approved", { reason: "  " })).rejects.toMatchObject({
      code: "APPROVAL-REASON",
    })
    await expect(world.decide(record.id, "Eve")).rejects.toMatchObject({ code: "APPROVAL-REFUSED", kind: "failed" })
  })
  it("once approved, approving again says what to do; rejecting still stops it", async () => {
    const world = await makeWorld()
    const { record } = await world.run()
    await world.decide(record.id, lin)
    await expect(world.decide(record.id, lin)).rejects.toMatchObject({
      code: "APPROVAL-SETTLED",
      hint: `gantry resume ${record.id}`,
    })
    await world.decide(record.id, lin, "rejected")
    expect((await world.resume(record.id)).record.status).toBe("failed")
    expect(world.rolledOut).toEqual([])
  })
  it("the author may stop the release, but not let it pass", async () => {
    const world = await makeWorld()
    const { record } = await world.run()
    await expect(world.decide(record.id, zhao)).rejects.toMatchObject({ code: "APPROVAL-REFUSED" })
    await world.decide(record.id, zhao, "rejected")
    expect((await world.resume(record.id)).record.status).toBe("failed")
  })
  it("a run that has ended is decided", async () => {
    const world = await makeWorld()
    const { record } = await world.run()
    await world.decide(record.id, lin)
    await world.resume(record.id)
    for (const decision of ["approved", "rejected"] as const) {
      await expect(world.decide(record.id, wang, decision)).rejects.toMatchObject({
        code: "APPROVAL-LATE",
        kind: "usage",
      })
    }
  })
  it("two people at once are both kept", async () => {
    const world = await makeWorld({ prod: { approvals: { required: 2 } } })
    const { record } = await world.run()
    await Promise.all([world.decide(record.id, lin), world.decide(record.id, wang)])
    expect((await world.resume(record.id)).record.status).toBe("success")
  })
})
