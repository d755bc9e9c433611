import { fault } from "../core/errors.js"
import type { CiJob } from "./job.js"

/** What GitLab takes for something else than a job (https://docs.gitlab.com/ci/jobs/#job-names), and for a site to publish. */
const reserved = ["image", "services", "stages", "before_script", "after_script", "variables", "cache", "include", "default", "workflow", "pages", "true", "false", "nil"] // prettier-ignore

/** @param own Names of jobs that are made besides those of steps @throws GENERATE-NAME */
export function checkNames(jobs: readonly CiJob[], own: readonly string[]): void {
  const taken = new Set([...reserved, ...own])
  const wrong = jobs.find((job) => taken.has(job.name))
  if (wrong === undefined) return
  throw fault({
    code: "GENERATE-NAME",
    kind: "usage",
    message: `A CI job cannot be called "${wrong.name}"`,
    reason: own.includes(wrong.name)
      ? "That is the name of a job which is generated besides those of the steps."
      : "GitLab means something else by that word.",
    hint: "Give the step another id, or put it into a group with another name (`jobs` of the pipeline).",
  })
}
