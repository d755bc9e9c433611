import { fault } from "../core/errors.js"
import { jobsOf, type Job } from "../core/jobs.js"
import type { Pipeline } from "../core/pipeline.js"
import { nearest } from "../core/suggest.js"

/** The job of that name, or the one that holds the step of that id (or its end). @throws JOB-UNKNOWN, and those of `jobsOf` */
export function findJob(pipeline: Pipeline, wanted: string): Job {
  const jobs = jobsOf(pipeline)
  const exact = jobs.find((job) => job.name === wanted) ?? jobs.find((job) => job.steps.some((s) => s.id === wanted))
  if (exact !== undefined) return exact
  const ends = (id: string) => id.endsWith(`.${wanted}`)
  const matches = jobs.filter((job) => ends(job.name) || job.steps.some((s) => ends(s.id)))
  const [only] = matches
  if (only !== undefined && matches.length === 1) return only
  const names = jobs.map((job) => job.name)
  const near = nearest(wanted, [...names, ...pipeline.steps.map((s) => s.id)])
  throw fault({
    code: "JOB-UNKNOWN",
    kind: "usage",
    message:
      matches.length > 1
        ? `"${wanted}" names several jobs: ${matches.map((job) => job.name).join(", ")}`
        : `Pipeline ${pipeline.name} has no job "${wanted}"${near === undefined ? "" : `; did you mean "${near}"?`}`,
    hint: `Jobs are: ${names.join(", ")}. Is .gitlab-ci.yml up to date? gantry generate gitlab --check`,
  })
}
