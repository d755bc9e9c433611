import { Document, isMap, isScalar, visit, YAMLSeq } from "yaml"
import type { Pipeline } from "../../core/pipeline.js"
import type { Settings } from "../../steps/settings.js"
import { asksFor, branchesOf } from "../condition.js"
import { flowOf, type Flow } from "../flow.js"
import { withHeader } from "../generated.js"
import type { CiJob } from "../job.js"
import { checkNames } from "../names.js"
import { affectedJob } from "./conditions.js"
import { actions, githubJob, jobId, prelude } from "./jobs.js"
import type { GithubJob, GithubWorkflow } from "./model.js"

export const githubFile = (pipeline: string) => `.github/workflows/${pipeline}.yml`

/** The workflow that makes GitHub Actions run a pipeline. @throws JOB-…, GENERATE-NAME */
export function generateGithub(pipeline: Pipeline, settings: Settings): string {
  const command = `gantry generate github${pipeline.name === "delivery" ? "" : ` --pipeline ${pipeline.name}`}`
  return withHeader(command, githubYaml(githubModel(pipeline.name, flowOf(pipeline, settings), settings)))
}

export function githubModel(pipeline: string, flow: Flow, settings: Settings): GithubWorkflow {
  const { jobs } = flow
  const { ci } = settings
  checkNames(jobs, [affectedJob, "feedback"])
  const scoped = jobs.some((job) => job.presence.services !== undefined)
  const made = jobs.map((job) => {
    const written = githubJob(job, pipeline, settings)
    return [jobId(job.name), { ...written, permissions: permissionsOf(written, job) }] as const
  })
  return {
    name: pipeline,
    on: eventsOf(flow, settings),
    permissions: { contents: "read" },
    // A newer commit of a pull request replaces the older one; what delivers is never cut off.
    concurrency: {
      group: `${pipeline}-\${{ github.event.pull_request.number || github.run_id }}`,
      "cancel-in-progress": "${{ github.event_name == 'pull_request' }}",
    },
    env: ci.github.variables,
    jobs: {
      ...(scoped ? { [affectedJob]: affected(settings) } : {}),
      ...Object.fromEntries(made),
      feedback: feedback(
        pipeline,
        made.map(([id]) => id),
        settings,
      ),
    },
  }
}

/** Statuses of the commit, and deployments where the job has an environment; reviews and approvals are read. */
function permissionsOf(job: GithubJob, { idTokens }: CiJob): NonNullable<GithubJob["permissions"]> {
  return {
    contents: "read",
    "pull-requests": "read",
    actions: "read",
    statuses: "write",
    ...(job.environment === undefined ? {} : { deployments: "write" }),
    ...(idTokens.size === 0 ? {} : { "id-token": "write" }),
  }
}

function eventsOf({ jobs }: Flow, { ci }: Settings): GithubWorkflow["on"] {
  const conditions = jobs.map((job) => job.presence.when)
  const branches = [...new Set([...ci.github.branches, ...conditions.flatMap(branchesOf)])]
  return {
    push: { branches, ...(conditions.some((c) => asksFor("tag", c)) ? { tags: ["**"] } : {}) },
    pull_request: {},
    workflow_dispatch: {},
    ...(ci.github.schedule.length === 0 ? {} : { schedule: ci.github.schedule.map((cron) => ({ cron })) }),
  }
}

/** Which services the change affects, as a JSON list of names. */
function affected(settings: Settings): GithubJob {
  const { ci } = settings
  return {
    name: "affected services",
    "runs-on": ci.github.runsOn,
    "timeout-minutes": 15,
    permissions: { contents: "read" },
    outputs: { services: "${{ steps.affected.outputs.services }}" },
    steps: [
      ...prelude(settings),
      {
        id: "affected",
        env: { BASE: "${{ github.event.pull_request.base.sha || github.event.before }}" },
        run: `services=$(${ci.command} affected --changed-since "$BASE" --json | tr -d '\\n')\necho "services=$services" >> "$GITHUB_OUTPUT"`,
      },
    ],
  }
}

/** Writes the pull request's comment, whatever became of the others. */
function feedback(pipeline: string, ids: readonly string[], settings: Settings): GithubJob {
  const { ci } = settings
  return {
    name: "feedback",
    needs: ids,
    if: "${{ always() }}",
    "runs-on": ci.github.runsOn,
    "timeout-minutes": 15,
    "continue-on-error": true,
    permissions: { contents: "read", "pull-requests": "write", actions: "read" },
    env: { GITHUB_TOKEN: "${{ github.token }}" },
    steps: [
      ...prelude(settings),
      { uses: actions.download, with: { pattern: "gantry-*", path: ".gantry", "merge-multiple": true } },
      { run: `${ci.command} feedback --pipeline ${pipeline}` },
      {
        if: "${{ always() }}",
        uses: actions.upload,
        with: {
          name: "gantry-report",
          path: ".gantry/ci/",
          "include-hidden-files": true,
          "if-no-files-found": "ignore",
          overwrite: true,
          "retention-days": ci.github.retentionDays,
        },
      },
    ],
  }
}

/** Lists that read best on one line. */
const inline = new Set(["needs", "branches", "tags", "runs-on"])

function githubYaml(workflow: GithubWorkflow): string {
  const { env, jobs, ...head } = workflow
  const document = new Document(
    { ...head, ...(Object.keys(env).length === 0 ? {} : { env }), jobs },
    { aliasDuplicateObjects: false },
  )
  visit(document, {
    Pair(_, pair) {
      if (isScalar(pair.key) && pair.value instanceof YAMLSeq && inline.has(String(pair.key.value))) {
        pair.value.flow = true
      }
    },
  })
  if (isMap(document.contents)) {
    document.contents.items.forEach((pair, i) => {
      if (i > 0 && isScalar(pair.key)) pair.key.spaceBefore = true
      if (!isScalar(pair.key) || pair.key.value !== "jobs" || !isMap(pair.value)) return
      pair.value.items.forEach((job, n) => {
        if (n > 0 && isScalar(job.key)) job.key.spaceBefore = true
      })
    })
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: false })
}
