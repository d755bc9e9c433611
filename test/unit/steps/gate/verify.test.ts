import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { appendAudit } from "../../../../approvals/index.js"
import { hashJson } from "../../../../core/json.js"
import { openStore } from "../../../../core/store.js"
import { gate, verifyApproval } from "../../../../steps/gate/index.js"
import type { Approval, Release, Source } from "../../../../steps/outputs.js"
import { hoursLater } from "../../approvals/samples.js"
import { digestOf, lin, makeWorld, removeTemplates, waitingRun, wang, zhao } from "./world.js"

afterAll(removeTemplates)

const statementIn = async (dir: string) => {
  const name = (await readdir(dir)).find((n) => n.startsWith("statement-")) ?? "none"
  return { path: join(dir, name), value: JSON.parse(await readFile(join(dir, name), "utf8")) as Record<string, string> }
}

describe("what is not an approval is none: the gate goes on waiting", () => {
  it("a statement file written by hand", async () => {
    const world = await makeWorld()
    const { id, dir } = await waitingRun(world)
    await world.decide(id, lin)
    const { path, value } = await statementIn(dir)
    await rm(path)
    await writeFile(
      join(dir, "statement-forged.json"),
      JSON.stringify({ ...value, by: wang.name, email: wang.email, role: wang.role }),
    )
    const { record, step } = await world.resume(id)
    expect(record.status).toBe("waiting")
    expect(step("gate")?.status).toBe("waiting")
    expect(world.rolledOut).toEqual([])
  })
  it("a statement in the audit log alone", async () => {
    const world = await makeWorld()
    const { id, dir } = await waitingRun(world)
    await world.decide(id, lin)
    await rm((await statementIn(dir)).path)
    expect((await world.resume(id)).record.status).toBe("waiting")
  })
  it("one replayed from another run of the same commit", async () => {
    const world = await makeWorld()
    const first = await waitingRun(world)
    await world.decide(first.id, lin)
    const second = await waitingRun(world)
    await cp(first.dir, second.dir, { recursive: true })
    expect((await world.resume(second.id)).record.status).toBe("waiting")
    // The run's own evidence is back; the stranger's statement does not become one about it.
    const { path, value } = await statementIn(second.dir)
    await writeFile(path, JSON.stringify({ ...value, run: second.id }))
    expect((await world.resume(second.id)).record.status).toBe("waiting")
    expect(world.rolledOut).toEqual([])
  })
  it.each([
    ["how many instances", { replicas: 5 }],
    ["where", { replicas: 3, target: "kubernetes" as const }],
  ])("one of before the evidence changed: %s", async (_, change) => {
    const world = await makeWorld()
    const { id } = await waitingRun(world)
    await world.decide(id, lin)
    world.settings = world.configure({ ...change, approvals: {} }, [lin, wang, zhao])
    const { record } = await world.resume(id)
    expect(record.status).toBe("waiting")
    await world.decide(id, lin)
    expect((await world.resume(id)).record.status).toBe("success")
  })
  it("one that is of fewer than are demanded now", async () => {
    const world = await makeWorld()
    const { id } = await waitingRun(world)
    await world.decide(id, lin)
    world.settings = world.configure({ replicas: 3, approvals: { required: 2 } }, [lin, wang, zhao])
    expect((await world.resume(id)).record.status).toBe("waiting")
  })
  it("one of somebody who is no approver any more", async () => {
    const world = await makeWorld()
    const { id } = await waitingRun(world)
    await world.decide(id, lin)
    world.settings = world.configure({ replicas: 3, approvals: {} }, [wang, zhao])
    expect((await world.resume(id)).record.status).toBe("waiting")
  })
  it("one that has expired; a fresh one serves", async () => {
    const world = await makeWorld()
    const { id } = await waitingRun(world)
    await world.decide(id, lin, "approved", { now: hoursLater(-25, new Date()) })
    expect((await world.resume(id)).record.status).toBe("waiting")
    await world.decide(id, lin)
    expect((await world.resume(id)).record.status).toBe("success")
  })
  it("evidence edited before the decision: nobody can decide on it", async () => {
    const world = await makeWorld()
    const { id, dir } = await waitingRun(world)
    const path = join(dir, "evidence.json")
    const text = await readFile(path, "utf8")
    await writeFile(path, text.replace(digestOf("catalog"), digestOf("evil")))
    await expect(world.decide(id, lin)).rejects.toMatchObject({ code: "APPROVAL-EVIDENCE", kind: "errored" })
    await world.resume(id)
    expect(await readFile(path, "utf8")).toBe(text)
    await world.decide(id, lin)
    expect((await world.resume(id)).record.status).toBe("success")
  })
  it("evidence that somebody wrote anew, with its own hash", async () => {
    const world = await makeWorld()
    const { id, dir } = await waitingRun(world)
    const path = join(dir, "evidence.json")
    const file = JSON.parse(await readFile(path, "utf8")) as { evidence: { authors: object[] } }
    file.evidence.authors = [{ name: "Nobody", email: "nobody@shop.example" }]
    await writeFile(path, JSON.stringify({ ...file, evidenceHash: hashJson(file.evidence) }))
    await world.decide(id, zhao)
    expect((await world.resume(id)).record.status).toBe("waiting")
    expect(world.rolledOut).toEqual([])
  })
  it("an audit log that was changed makes the gate errored, never open", async () => {
    const world = await makeWorld()
    const { id, audit } = await waitingRun(world)
    await world.decide(id, lin)
    await writeFile(audit, (await readFile(audit, "utf8")).replace("tested", "Tested"))
    const { record, step } = await world.resume(id)
    expect(record.status).toBe("errored")
    expect(step("gate")?.error?.code).toBe("AUDIT-BROKEN")
    expect(world.rolledOut).toEqual([])
  })
  it("rubbish among the statements", async () => {
    const world = await makeWorld()
    const { id, dir } = await waitingRun(world)
    await writeFile(join(dir, "statement-1.json"), "{")
    await writeFile(join(dir, "statement-2.json"), "null")
    await writeFile(join(dir, "statement-3.json"), '{"decision":"approved"}')
    await appendAudit(openStore(world.project).root, null)
    await appendAudit(openStore(world.project).root, { type: "decision", statement: "approved" })
    expect((await world.resume(id)).record.status).toBe("waiting")
  })
  it("a rejection whose file was removed stands", async () => {
    const world = await makeWorld()
    const { id, dir } = await waitingRun(world)
    await world.decide(id, wang, "rejected")
    await rm((await statementIn(dir)).path)
    await expect(world.decide(id, lin)).rejects.toMatchObject({ code: "APPROVAL-SETTLED" })
    expect((await world.resume(id)).record.status).toBe("failed")
  })
})

it("an approval for one service serves no other", async () => {
  const world = await makeWorld()
  const { id, runDir } = await waitingRun(world, ["catalog"])
  await world.decide(id, lin)
  const { step } = await world.resume(id, ["catalog"])
  expect(world.rolledOut).toEqual([`catalog ${digestOf("catalog")}`])
  await expect(world.resume(id, ["catalog", "order"])).rejects.toMatchObject({ code: "RUN-PIPELINE-CHANGED" })
  const source = step("checkout")?.output as Source
  const order: Release = {
    ...(step("catalog.push")?.output as Release),
    service: "order",
    digest: digestOf("order"),
    reference: `127.0.0.1:5000/shop/order@${digestOf("order")}`,
  }
  const run = { id, pipeline: "delivery", dir: runDir, project: world.project, commit: world.commit, dirty: false }
  await expect(
    verifyApproval({
      settings: world.settings,
      environment: "prod",
      run,
      approval: step("gate")?.output as Approval,
      source,
      release: order,
    }),
  ).rejects.toMatchObject({ code: "GATE-UNPROVEN", reason: "nothing of order was approved" })
})

describe("the rollout verifies by itself", () => {
  /** A run that was let through the gate, and the arguments with which its rollout verifies. */
  async function approved() {
    const world = await makeWorld()
    const { id, dir, runDir, audit } = await waitingRun(world)
    await world.decide(id, lin)
    const { step } = await world.resume(id)
    const given = {
      settings: world.settings,
      environment: "prod",
      run: { id, pipeline: "delivery", dir: runDir, project: world.project, commit: world.commit, dirty: false },
      approval: step("gate")?.output as Approval,
      source: step("checkout")?.output as Source,
      release: step("catalog.push")?.output as Release,
      now: new Date(),
    }
    return { world, id, dir, audit, given }
  }
  type Approved = Awaited<ReturnType<typeof approved>>
  const verify = ({ given: g }: Approved) => verifyApproval(g, {}, g.now)

  it("passes what was approved", async () => {
    await expect(verify(await approved())).resolves.toBeUndefined()
  })

  const other = "f".repeat(40)
  it.each<[string, (a: Approved) => unknown, string, RegExp]>([
    ["another digest", (a) => (a.given.release.digest = digestOf("evil")), "GATE-UNPROVEN", /to be deployed is sha256/],
    ["another reference", (a) => (a.given.release.reference = `evil/catalog@${digestOf("catalog")}`), "GATE-UNPROVEN", /evil/],
    ["another service", (a) => (a.given.release.service = "order"), "GATE-UNPROVEN", /nothing of order/],
    ["another environment", (a) => (a.given.environment = "uat"), "GATE-UNPROVEN", /it is about prod/],
    ["another commit in the checkout", (a) => (a.given.source.commit = other), "GATE-UNPROVEN", /another commit/],
    ["another tree in the checkout", (a) => (a.given.source.tree = other), "GATE-UNPROVEN", /another tree/],
    ["a dirty work tree", (a) => (a.given.source.dirty = true), "GATE-UNPROVEN", /work tree/],
    ["a commit that is not there", (a) => (a.given.run.commit = other), "GATE-COMMIT", /./],
    ["an approval of something else", (a) => (a.given.approval.evidenceHash = other), "GATE-UNPROVEN", /not what was approved/],
    ["an expired approval", (a) => (a.given.now = hoursLater(24.1, new Date())), "GATE-UNPROVEN", /expired/],
    ["a clock that was set back", (a) => (a.given.now = hoursLater(-1, new Date())), "GATE-UNPROVEN", /future/],
    ["evidence that is gone", (a) => rm(join(a.dir, "evidence.json")), "APPROVAL-EVIDENCE", /./],
    ["decisions that are gone", (a) => rm(a.dir, { recursive: true }), "APPROVAL-EVIDENCE", /./],
    ["a statement that is gone", async (a) => rm((await statementIn(a.dir)).path), "GATE-UNPROVEN", /decisions of the run/],
    ["an audit log that is gone", (a) => rm(a.audit), "GATE-UNPROVEN", /audit log/],
    ["an audit log that was changed", async (a) => writeFile(a.audit, (await readFile(a.audit, "utf8")).replace("tested", "x")), "AUDIT-BROKEN", /./],
    ["a rejection since", async (a) => {
      // As `gantry reject` writes it while the rollout is under way elsewhere.
      const { value } = await statementIn(a.dir)
      await appendAudit(openStore(a.world.project).root, { type: "decision", statement: { ...value, decision: "rejected" } })
    }, "GATE-UNPROVEN", /rejected it/],
    ["more demands since", (a) => (a.given.settings = a.world.configure({ replicas: 3, approvals: { required: 2 } }, [lin, wang])), "GATE-UNPROVEN", /demands/],
    ["another rollout since", (a) => (a.given.settings = a.world.configure({ replicas: 9, approvals: {} }, [lin, wang])), "GATE-UNPROVEN", /settings of prod/],
    ["an approver who is none any more", (a) => (a.given.settings = { ...a.given.settings, approvers: [wang] }), "GATE-UNPROVEN", /not an approver/],
    ["evidence of another run", async (a) => {
      const second = await waitingRun(a.world)
      await cp(join(second.dir, "evidence.json"), join(a.dir, "evidence.json"))
    }, "APPROVAL-EVIDENCE", /it is about gate of run/],
    ["evidence and approval written anew for another digest", async (a) => {
      const path = join(a.dir, "evidence.json")
      const text = (await readFile(path, "utf8")).replaceAll(digestOf("catalog"), digestOf("evil"))
      const { evidence } = JSON.parse(text) as { evidence: object }
      await writeFile(path, JSON.stringify({ schema: 1, evidence, evidenceHash: hashJson(evidence) }))
      a.given.approval.evidenceHash = hashJson(evidence)
      a.given.release.digest = digestOf("evil")
      a.given.release.reference = a.given.release.reference.replace(digestOf("catalog"), digestOf("evil"))
    }, "GATE-UNPROVEN", /the evidence has changed since/],
  ])("refuses %s", async (_, change, code, reason) => {
    const a = await approved()
    await change(a)
    await expect(verify(a)).rejects.toMatchObject({ code, reason: expect.stringMatching(reason) as string })
  }) // prettier-ignore

  it("an approval that expires before the rollout begins: a fresh one lets the run go on", async () => {
    const world = await makeWorld()
    const { id } = await waitingRun(world)
    await world.decide(id, lin)
    world.later = hoursLater(30, new Date())
    const stopped = await world.resume(id)
    expect(stopped.record.status).toBe("failed")
    expect(stopped.step("gate")?.status).toBe("success")
    expect(stopped.step("catalog.rollout-prod")?.error?.code).toBe("GATE-UNPROVEN")
    expect(world.rolledOut).toEqual([])
    await world.decide(id, lin, "approved", { now: world.later })
    expect((await world.resume(id)).record.status).toBe("success")
    expect(world.rolledOut).toHaveLength(1)
  })
})

it("a project in a folder of its repository has the tree of that folder", async () => {
  const world = await makeWorld()
  await mkdir(join(world.project, "shop"))
  await writeFile(join(world.project, "shop/b.txt"), "b\n")
  world.git("add", "-A")
  world.git("commit", "-q", "-m", "Shop")
  const { commitFacts } = await import("../../../../steps/gate/authors.js")
  const facts = await commitFacts({ project: join(world.project, "shop"), commit: "HEAD" }, undefined)
  expect(facts).toEqual({
    commit: world.git("rev-parse", "HEAD"),
    tree: world.git("rev-parse", "HEAD:shop"),
    authors: [{ name: zhao.name, email: zhao.email }],
  })
})

it("the gate is never asked for a dirty work tree", async () => {
  const world = await makeWorld()
  const step = world.pipeline().steps.find((s) => s.id === "gate")
  expect(step).toMatchObject({ kind: "gate", when: { kind: "clean" } })
  expect(gate).toBeTypeOf("function")
})
