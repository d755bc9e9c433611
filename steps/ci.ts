import { z } from "zod"

const variables = z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "a name of a variable"), z.string())

const GitlabSettings = z.strictObject({
  /** Image in which the jobs run: needs Node and git, and a Docker client's socket or a runner host for the engine. */
  image: z.string().default("node:22-bookworm"),
  /** Tags of the runners that take the jobs. */
  tags: z.array(z.string()).default([]),
  /** Of every job, besides those that Gantry sets. Plain text in the repository: nothing secret. */
  variables: variables.default({}),
  /**
   * CI/CD variables of the project's settings that all steps may see, with * and ?: ["AWS_*"]. The others reach the steps that
   * declare them as secrets.
   */
  visible: z.array(z.string().regex(/^[\w*?]+$/, "a name of a variable, with * and ?")).default([]),
  /** Environment of the gate's job, where it is to be protected in another way than the one it opens. Default: that one. */
  gateEnvironment: z.string().min(1).optional(),
  /** How long artifacts are kept, as GitLab writes it. */
  expireIn: z.string().default("30 days"),
})

const GithubSettings = z.strictObject({
  /** Labels of the runners that take the jobs. */
  runsOn: z.array(z.string()).min(1).default(["ubuntu-24.04"]),
  /** Branches whose pushes are delivered, besides those that conditions of the pipeline name. GitHub has no word for the default branch. */
  branches: z.array(z.string()).default(["main"]),
  /** When it runs without a push: cron expressions, UTC. */
  schedule: z.array(z.string()).default([]),
  /** Node of the jobs. */
  node: z.string().default("22"),
  /** Of every job. Plain text in the repository: nothing secret. */
  variables: variables.default({}),
  /** Secrets of the repository that jobs are given besides those that their steps declare. */
  secrets: z.array(z.string()).default([]),
  /** How many days artifacts are kept. */
  retentionDays: z.number().int().min(1).max(400).default(30),
})

/** `ci` of gantry.config.ts: how pipelines run in GitLab CI and GitHub Actions. */
export const CiSettings = z.strictObject({
  /** Shell commands that make `command` available in a fresh clone. */
  setup: z.array(z.string()).default(["npm ci"]),
  /** How jobs call Gantry. */
  command: z.string().default("npx gantry"),
  /** Globs of files outside of every service on which none depends: a change of nothing else delivers nothing. */
  ignore: z.array(z.string()).default(["**/*.md"]),
  /**
   * How far a merge request's pipeline goes: `checks` up to the first deployment, `first-environment` as far as a dirty work
   * tree does on a laptop, `all` through the gate.
   */
  mergeRequests: z.enum(["checks", "first-environment", "all"]).default("first-environment"),
  /** Key files of the package manager's cache that `setup` fills. */
  cache: z
    .strictObject({ key: z.array(z.string()).min(1).max(2), paths: z.array(z.string()).min(1) })
    .default({ key: ["package-lock.json"], paths: [".npm/"] }),
  /** Minutes that a job may take whose steps have no timeout of their own. */
  timeoutMinutes: z.number().int().min(5).default(60),
  gitlab: GitlabSettings.prefault({}),
  github: GithubSettings.prefault({}),
})
export type CiSettings = z.output<typeof CiSettings>
