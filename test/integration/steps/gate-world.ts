import { cp, mkdir } from "node:fs/promises"
import { join } from "node:path"
import { hostStatementName, type Approver } from "../../../approvals/index.js"
import type { Place } from "../../../clients/codehost/index.js"
import { openStore } from "../../../core/store.js"
import type { RunInfo } from "../../../core/step.js"
import { askGate, type GateContext } from "../../../steps/gate/ask.js"
import { verifyApproval } from "../../../steps/gate/index.js"
import type { GateNeeds } from "../../../steps/gate/evidence.js"
import type { Approval, BuiltImage, Deployment, Release, Scan, Source } from "../../../steps/outputs.js"
import { lin, makeWorld, wang, zhao } from "../../unit/steps/gate/world.js"
import { temporaryProject } from "../../unit/core/rig.js"

export const approvers: readonly Approver[] = [
  { ...lin, gitlab: "lin", github: "lin-gh" },
  { ...wang, gitlab: "wang", github: "wang-gh" },
  { ...zhao, gitlab: "zhao", github: "zhao-gh" },
]

/** Jobs of a pipeline around a real gate: each has a work tree of its own, as in CI. */
export async function pipelineWorld(
  place: Place,
  run: string,
  prod: Record<string, unknown> = { approvals: {} },
  more: readonly Approver[] = approvers,
) {
  const world = await makeWorld({ prod, approvers: more })
  const settings = { ...world.settings, codeHost: place }
  const { record } = await world.run()
  const output = (id: string) => record.steps.find((s) => s.id === id)?.output as never
  const source: Source = output("checkout")
  const release: Release = output("catalog.push")
  const needs: GateNeeds = {
    source,
    images: [output("catalog.image") as BuiltImage],
    scans: [output("catalog.trivy") as Scan],
    releases: [release],
    migrations: [],
    deployments: [output("catalog.deploy-test") as Deployment],
    tests: [output("catalog.acceptance")],
    quality: [],
  }

  /** A job in a work tree of its own, with what another left in it. */
  const workTree = async (from?: RunInfo): Promise<RunInfo> => {
    const project = await temporaryProject()
    await cp(world.project, project, { recursive: true, filter: (path) => !path.includes(".gantry") })
    const dir = openStore(project).runDir(run)
    await mkdir(dir, { recursive: true })
    if (from !== undefined) await cp(join(from.dir, "approvals"), join(dir, "approvals"), { recursive: true })
    return { id: run, pipeline: "delivery", dir, project, commit: world.commit, dirty: false }
  }
  return {
    commit: world.commit,
    settings,
    workTree,
    /** Runs the gate's job; answers the approval, and what it said. */
    async gate(info: RunInfo, env: Record<string, string> = {}, now?: Date) {
      const lines: string[] = []
      const reports: unknown[] = []
      const masked: string[] = []
      const context: GateContext = {
        run: info,
        needs,
        log: { info: (l) => lines.push(l), warn: (l) => lines.push(`warning: ${l}`), write: () => undefined },
        publish: (report) => reports.push(report),
        artifacts: {
          put: async () => ({ path: "x", sha256: "0".repeat(64), size: 1 }),
          putFolder: async () => [],
          open: async () => "",
        },
        signal: new AbortController().signal,
        mask: (value) => masked.push(value),
      }
      const access = {
        env: { GITLAB_TOKEN: "glpat-right", GITHUB_TOKEN: "ghs-right", ...env },
        policy: { backoff: 1, attempts: 2 },
      }
      const approval = askGate(context, settings, "prod", now, access)
      return { approval, lines, reports, masked }
    },
    /** What the rollout does before it touches anything. */
    verify: (info: RunInfo, approval: Approval, env: Record<string, string> = {}, now?: Date) =>
      verifyApproval(
        { settings, environment: "prod", run: info, approval, source, release },
        {
          env: { GITLAB_TOKEN: "glpat-right", GITHUB_TOKEN: "ghs-right", ...env },
          policy: { backoff: 1, attempts: 2 },
        },
        now,
      ),
    /** Path of the statement of a play in the artifacts of its job. */
    statementPath: (how: "play", job: string, user: string) =>
      `.gantry/runs/${run}/approvals/gate/${hostStatementName({ how, job, user })}`,
  }
}
