import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { execa } from "execa"
import { RunRecord } from "../../core/record.js"
import { gitlabWorld, job, serveGitLab } from "../fakes/gitlab.js"
import { runGitlabCiLocal, withRsync, type Ended } from "./gitlab-ci-local.js"
import { makeRig, root, type Rig } from "../e2e/rig.js"

/** Numbers that GitLab would give: gitlab-ci-local takes them as variables, the same for every job. */
export const pipeline = 77
const gateJob = 500

/** What stands for `npm ci` in a job's work tree: Gantry is not in a registry yet. */
const config = `ci: {
    setup: [${JSON.stringify(`mkdir -p node_modules && ln -sfn ${root} node_modules/gantry-ci`)}],
    command: ${JSON.stringify(`${process.execPath} ${join(root, "dist/cli/main.js")}`)},
  },`

/** The shop in a repository with its generated .gitlab-ci.yml and an origin, and a GitLab that its jobs can ask. */
export async function makePipeline(setup: { readonly project: string; readonly services?: readonly string[] }) {
  await withRsync()
  const rig = await makeRig({ ...setup, config })
  await writeFile(join(rig.dir, ".gitignore"), "node_modules/\n.gantry/\n.gitlab-ci-local/\n")
  const generated = await rig.gantry(["generate", "gitlab"])
  if (generated.code !== 0) throw new Error(generated.stderr)
  await rig.git("add", ".")
  await rig.git("commit", "-q", "-m", "The pipeline")
  const origin = `${rig.dir}.git`
  await execa("git", ["clone", "-q", "--bare", rig.dir, origin])
  await rig.git("remote", "add", "origin", origin)
  await rig.git("fetch", "-q", "origin")
  await rig.git("remote", "set-head", "origin", "main")
  const world = gitlabWorld({
    pipelines: [{ id: pipeline, ref: "main", sha: await rig.git("rev-parse", "HEAD"), status: "running" }],
    jobs: [job({ id: gateJob, pipeline, status: "running" })],
  })
  const gitlab = await serveGitLab(world)
  const [gate] = world.jobs
  return {
    rig,
    gitlab,
    /** Whom GitLab names as the one who started the gate's job. */
    playedBy(user: string) {
      if (gate !== undefined) gate.user = user
    },
    play: (...args: readonly string[]) => play(rig, gitlab.url, args),
  }
}

/** Runs the pipeline as GitLab would, with its predefined and protected variables. */
function play(rig: Rig, gitlab: string, args: readonly string[]): Promise<Ended> {
  const variables = {
    GITLAB_CI: "true",
    CI_SERVER_URL: gitlab,
    CI_API_V4_URL: `${gitlab}/api/v4`,
    CI_PROJECT_ID: "42",
    CI_PROJECT_PATH: "heike/shop",
    CI_PIPELINE_ID: String(pipeline),
    CI_PIPELINE_SOURCE: "push",
    CI_JOB_ID: String(gateJob),
    CI_COMMIT_BEFORE_SHA: "0".repeat(40),
    CI_COMMIT_REF_PROTECTED: "true",
    GITLAB_TOKEN: "glpat-right",
    GANTRY_RECORD_KEY: "a-key-of-the-protected-branch-0123456789",
    NO_COLOR: "1",
  }
  const given = Object.entries(variables).flatMap(([name, value]) => ["--variable", `${name}=${value}`])
  // As in the first pipeline of a branch, everything counts as changed.
  const how = ["--force-shell-executor", "--shell-isolation", "--no-evaluate-rule-changes"]
  return runGitlabCiLocal(rig.dir, [...how, ...given, ...args])
}

/** The record of the whole pipeline, as its last job puts it together. */
export async function pipelineRecord(rig: Rig): Promise<RunRecord> {
  return RunRecord.parse(JSON.parse(await readFile(join(rig.dir, ".gantry/ci/feedback/run.json"), "utf8")))
}
