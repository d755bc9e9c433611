import { afterAll, describe, expect, it } from "vitest"
import { removeTemplates } from "../../unit/steps/gate/world.js"
import { fakeGitHub } from "../../fakes/github.js"
import { pipelineWorld } from "./gate-world.js"

afterAll(removeTemplates)

async function world(prod?: Record<string, unknown>) {
  const github = await fakeGitHub()
  const jobs = await pipelineWorld({ kind: "github", url: github.url, project: "heike/shop" }, "github-77", prod)
  const started = new Date().toISOString()
  const run = {
    id: 77,
    sha: jobs.commit,
    started,
    jobs: [{ id: 1, name: "gate", started, completed: null as string | null }],
    reviews: [] as (typeof github.world.runs)[number]["reviews"],
  }
  github.world.runs.push(run)
  const review = (user: string, state: "approved" | "rejected" = "approved", environment = "prod") =>
    void run.reviews.push({ user, state, comment: `${user} says so`, environment })
  const gate = async () => {
    const info = await jobs.workTree()
    const { approval, lines } = await jobs.gate(info)
    return { info, lines, result: await approval.catch((e: unknown) => e) }
  }
  return { github, jobs, run, review, gate }
}

describe("the gate in GitHub", () => {
  it("passes by the review of the environment, which the rollout asks for again", async () => {
    const { jobs, run, review, gate } = await world()
    review("Lin-GH")
    const { info, result } = await gate()
    expect(result).toMatchObject({ decision: "approved", by: "Lin Release", reason: "Lin-GH says so" })
    const prod = await jobs.workTree(info)
    await expect(jobs.verify(prod, result as never)).resolves.toBeUndefined()
    run.reviews.splice(0)
    await expect(jobs.verify(prod, result as never)).rejects.toMatchObject({
      code: "GATE-UNPROVEN",
      reason: expect.stringContaining("GitHub knows no review 77 by Lin-GH") as string,
    })
  })

  it("does not count reviews by authors, strangers, and of other environments", async () => {
    const { review, gate } = await world()
    review("zhao-gh")
    review("mallory")
    review("wang-gh", "approved", "staging")
    const { lines, result } = await gate()
    expect(result).toMatchObject({
      code: "GATE-WAITING",
      kind: "waiting",
      hint: expect.stringContaining("in GitHub") as string,
    })
    expect(lines.join("\n")).toContain("mallory (review 77 at GitHub) is not an approver")
    expect(lines.join("\n")).toContain("Zhao Author is an author of the commit")
  })

  it("takes several people, each once, and a no", async () => {
    const { review, gate } = await world({ approvals: { required: 2 } })
    review("lin-gh")
    review("lin-gh")
    expect((await gate()).result).toMatchObject({ code: "GATE-WAITING" })
    review("wang-gh")
    expect((await gate()).result).toMatchObject({ by: "Lin Release, Wang Ops" })
    review("zhao-gh", "rejected")
    expect((await gate()).result).toMatchObject({ code: "GATE-REJECTED", reason: "zhao-gh says so" })
  })

  it("refuses a run of another commit, and passes nothing when GitHub is away", async () => {
    const { github, jobs, run, review, gate } = await world()
    review("lin-gh")
    github.world.runs.splice(0, 1, { ...run, sha: "d".repeat(40) })
    expect((await gate()).result).toMatchObject({ code: "GATE-WAITING" })
    github.mishaps.push({ path: /approvals/, status: 500, times: 99 })
    expect((await gate()).result).toMatchObject({ code: "CODEHOST-UNAVAILABLE", kind: "errored" })
    expect(jobs.settings.codeHost.kind).toBe("github")
  })
})
