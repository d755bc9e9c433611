import { mkdir, rm, writeFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import type { Case, Sample } from "../case.js"
import { timed } from "../process.js"

const command = resolve("dist/cli/main.js")
/** Steps of the small pipeline, one behind the other. */
const steps = 8

/** Every step says 200 lines and takes 50 ms: about what is left of one that the engine answers from its cache. */
const config = `import { setTimeout } from "node:timers/promises"
import { pipeline, step, type AnyStep } from "gantry-ci"
import { defineConfig } from "gantry-ci/config"
export default defineConfig({ project: "bench", pipelines: { chain: () => {
  const steps: AnyStep[] = []
  for (let n = 0; n < ${steps}; n++) {
    steps.push(step("step-" + n, { engine: false, cache: false, after: steps.slice(-1), run: async ({ log }) => {
      for (let line = 0; line < 200; line++) log.info("line " + line + " of what a tool says while it works")
      await setTimeout(50)
    } }))
  }
  return pipeline("chain", { targets: steps.slice(-1) })
} } })
`

const git = (dir: string, ...args: string[]) =>
  timed(["git", "-c", "user.name=Bench", "-c", "user.email=bench@example.org", ...args], { cwd: dir })

/** Runs the command; what it says on standard error is a job's log. */
async function said(dir: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Sample> {
  const script = '"$@" 2>log.txt; code=$?; wc -c <log.txt; exit $code'
  const { ms, stdout } = await timed(["sh", "-c", script, "sh", process.execPath, command, ...args], { cwd: dir, env })
  return { ms, "log kB": Number(stdout.trim().split("\n").at(-1)) / 1000 }
}

let head = ""
let pipelineId = 1
const gitlab = () => ({
  CI: "true",
  GITLAB_CI: "true",
  CI_PIPELINE_ID: String(pipelineId),
  CI_JOB_ID: "1",
  CI_COMMIT_SHA: head,
  CI_PIPELINE_SOURCE: "push",
  GANTRY_RECORD_KEY: "0123456789abcdef0123456789abcdef",
})

/** Overhead of a job over its step, and what a run writes into a log. */
export const job: Case = {
  name: "job",
  title: `A chain of ${steps} steps of 50 ms and 200 lines each: in one process, and each as a CI job of its own`,
  rounds: 5,
  async prepare(dir) {
    await timed(["npm", "run", "--silent", "build"])
    await mkdir(dir, { recursive: true })
    await writeFile(join(dir, "gantry.config.ts"), config)
    await writeFile(join(dir, ".gitignore"), ".gantry/\nlog.txt\n")
    await git(dir, "init", "-q", "-b", "main")
    await git(dir, "add", "-A")
    await git(dir, "commit", "-q", "-m", "Bench")
    head = (await git(dir, "rev-parse", "HEAD")).stdout.trim()
  },
  variants: [
    {
      name: "one process, one step",
      run: (dir) => said(dir, ["run", "chain", "--until", "step-0"], { CI: "true", GITLAB_CI: "" }),
    },
    { name: "one process, all steps", run: (dir) => said(dir, ["run", "chain"], { CI: "true", GITLAB_CI: "" }) },
    {
      name: "one job, one step",
      async run(dir) {
        pipelineId++
        await rm(join(dir, ".gantry/runs"), { recursive: true, force: true })
        return said(dir, ["job", "step-0", "--pipeline", "chain"], gitlab())
      },
    },
    {
      name: "all jobs, one after the other",
      async run(dir) {
        pipelineId++
        let [ms, log] = [0, 0]
        for (let n = 0; n < steps; n++) {
          const sample = await said(dir, ["job", `step-${n}`, "--pipeline", "chain"], gitlab())
          ms += sample["ms"] ?? NaN
          log += sample["log kB"] ?? NaN
          // The next job has a clone of its own: no journal.
          await rm(join(dir, ".gantry/runs", `gitlab-${pipelineId}`, "events.ndjson"), { force: true })
        }
        return { ms, "log kB": log }
      },
    },
  ],
  conclude: (median) => [
    {
      name: "a job : gantry run of the same step",
      value: median("one job, one step", "ms") / median("one process, one step", "ms"),
      unit: "×",
      goal: 1.5,
    },
    {
      name: "what a job adds to its step",
      value: median("all jobs, one after the other", "ms") / steps - 50,
      unit: "ms",
    },
    {
      name: `${steps} jobs : one process`,
      value: median("all jobs, one after the other", "ms") / median("one process, all steps", "ms"),
      unit: "×",
    },
    { name: "log of a run in one process", value: median("one process, all steps", "log kB"), unit: "kB" },
    { name: "log of all its jobs", value: median("all jobs, one after the other", "log kB"), unit: "kB" },
  ],
}
