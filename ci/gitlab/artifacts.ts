import type { CiJob } from "../job.js"
import type { ArtifactReports } from "./model.js"

/** What later jobs need of a run: sealed records, evidence and statements of gates, kept files. */
export const runPaths = [".gantry/runs/*/steps/", ".gantry/runs/*/approvals/", ".gantry/runs/*/artifacts/"] as const
/** Archives of images: large, and pushed by the job that made them. */
export const imageArchives = ".gantry/runs/*/artifacts/**/image.tar"
/** What people and the host read of a job. */
export const jobFolder = (job: string) => `.gantry/ci/${job}`

/** What every job of steps keeps. GitLab puts the job's name in (artifacts:paths may have variables, reports may not). */
export const jobPaths = [...runPaths, `${jobFolder("$CI_JOB_NAME")}/`] as const

/** The job's files in GitLab's formats (https://docs.gitlab.com/ci/yaml/artifacts_reports/), for what its steps publish. */
export function reportsOf({ name, publishes, environment, kind }: CiJob): ArtifactReports {
  const file = (base: string) => `${jobFolder(name)}/${base}`
  return {
    ...(publishes.has("tests")
      ? {
          junit: file("junit.xml"),
          coverage_report: { coverage_format: "cobertura" as const, path: file("cobertura.xml") },
        }
      : {}),
    ...(publishes.has("quality-gate") ? { codequality: file("gl-code-quality.json") } : {}),
    ...(publishes.has("findings")
      ? { container_scanning: file("gl-container-scanning.json"), cyclonedx: file("bom.cdx.json") }
      : {}),
    // Its GANTRY_URL becomes the URL of the environment.
    ...(environment !== undefined && kind === "effect" ? { dotenv: file("job.env") } : {}),
  }
}
