import type { Settings } from "../../steps/settings.js"
import type { CiJob } from "../job.js"
import { imageArchives, jobFolder, runPaths } from "../gitlab/artifacts.js"
import { affectedJob, ifOf } from "./conditions.js"
import type { GithubJob, GithubStep } from "./model.js"

/** Ids of jobs begin with a letter or `_` and have no dots. Ids of steps have no `_`, so no two become one. */
export function jobId(name: string): string {
  const id = name.replaceAll(".", "_")
  return /^[0-9]/.test(id) ? `_${id}` : id
}

const artifactName = (job: string) => `gantry-${jobId(job)}`

/** Actions by their major version: GitHub moves the tag to its newest release. All are GitHub's own. */
export const actions = {
  checkout: "actions/checkout@v4",
  node: "actions/setup-node@v4",
  upload: "actions/upload-artifact@v4",
  download: "actions/download-artifact@v4",
} as const

/** Clone, Node, set-up. */
export function prelude({ ci }: Pick<Settings, "ci">): readonly GithubStep[] {
  return [
    // The whole history: changed files are counted from it, and SonarQube shows who wrote a line.
    { uses: actions.checkout, with: { "fetch-depth": 0, "persist-credentials": false } },
    { uses: actions.node, with: { "node-version": ci.github.node, ...(usesNpm(ci.setup) ? { cache: "npm" } : {}) } },
    ...ci.setup.map((run) => ({ run })),
  ]
}

const usesNpm = (setup: readonly string[]) => setup.some((command) => /^npm (ci|install)\b/.test(command))

export function githubJob(job: CiJob, pipeline: string, settings: Pick<Settings, "ci" | "environments">): GithubJob {
  const { ci } = settings
  const environment = environmentOf(job, settings)
  const needs = [...job.needs.map(jobId), ...(job.presence.services === undefined ? [] : [affectedJob])]
  return {
    name: job.name,
    ...(needs.length === 0 ? {} : { needs }),
    if: ifOf(job.presence),
    "runs-on": ci.github.runsOn,
    ...(environment === undefined ? {} : { environment }),
    // GitHub keeps one job waiting in a group and cancels the one before it: a group for each service, so that only an older
    // release of the same service gives way.
    ...(job.kind === "effect" && job.environment !== undefined
      ? {
          concurrency: {
            group: [job.environment, job.service].filter((s) => s !== undefined).join("/"),
            "cancel-in-progress": false,
          },
        }
      : {}),
    "timeout-minutes": job.minutes,
    ...(job.allowFailure ? { "continue-on-error": true } : {}),
    env: secretsOf(job, settings),
    steps: [
      ...prelude(settings),
      ...download(job.needs),
      { id: "gantry", run: `${ci.command} job ${job.name} --pipeline ${pipeline}` },
      ...(environment?.url === undefined
        ? []
        : [
            {
              id: "environment",
              if: "${{ always() }}",
              run: `grep '^GANTRY_URL=' ${jobFolder(job.name)}/job.env | sed 's/^GANTRY_URL/url/' >> "$GITHUB_OUTPUT" || true`,
            },
          ]),
      {
        if: "${{ always() }}",
        uses: actions.upload,
        with: {
          name: artifactName(job.name),
          path: [...runPaths, `${jobFolder(job.name)}/`, `!${imageArchives}`].join("\n"),
          "include-hidden-files": true,
          "if-no-files-found": "ignore",
          overwrite: true,
          "retention-days": ci.github.retentionDays,
        },
      },
    ],
  }
}

/** Archives are rooted where the searched paths part: in `.gantry`. */
export function download(jobs: readonly string[]): readonly GithubStep[] {
  if (jobs.length === 0) return []
  const [first = ""] = jobs
  const pattern = jobs.length === 1 ? artifactName(first) : `gantry-{${jobs.map(jobId).join(",")}}`
  return [{ uses: actions.download, with: { pattern, path: ".gantry", "merge-multiple": true } }]
}

/**
 * The gate is what the environment's reviewers stop: it has the environment's name. The deployments behind it have an
 * environment of their own, or GitHub would ask the reviewers again for each of them.
 */
function environmentOf(job: CiJob, settings: Pick<Settings, "environments">): GithubJob["environment"] {
  if (job.environment === undefined) return undefined
  if (job.kind === "gate") return { name: job.environment }
  if (job.kind === "pure") return undefined
  const behind = settings.environments[job.environment]?.approvals !== undefined
  return {
    name: behind ? `${job.environment}-rollout` : job.environment,
    url: "${{ steps.environment.outputs.url }}",
  }
}

/** What the job may know: the key of records, what its steps declare, what the configuration adds. */
function secretsOf(job: CiJob, { ci }: Pick<Settings, "ci">): Readonly<Record<string, string>> {
  const names = [...new Set(["GANTRY_RECORD_KEY", ...job.secrets, ...ci.github.secrets])].filter(
    // What GitHub makes is no secret of the repository's.
    (n) => n !== "GITHUB_TOKEN" && !job.idTokens.has(n),
  )
  return {
    GITHUB_TOKEN: "${{ github.token }}",
    ...Object.fromEntries(names.map((name) => [name, `\${{ secrets.${name} }}`])),
  }
}
