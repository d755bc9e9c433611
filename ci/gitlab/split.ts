import type { Flow } from "../flow.js"
import { gitlabFile, gitlabFolder, type GitlabFile, type GitlabJob } from "./model.js"
import { gitlabYaml } from "./yaml.js"

/**
 * GitLab takes a file of 2 MB (`max_yaml_size_bytes`; 1 MB before 17.3), and many of them in one pipeline
 * (https://docs.gitlab.com/administration/instance_limits/#maximum-size-and-depth-of-cicd-configuration-yaml-files).
 */
const mostBytes = 1_000_000
/** It includes 150 files at most (`ci_max_includes`). */
const mostFiles = 100

/**
 * One file while GitLab takes it, else one for each service, included by the first: still one pipeline, so that a gate has all
 * records as artifacts. (A parent does not get the artifacts of a child pipeline.)
 */
export function split(
  model: GitlabFile,
  { jobs }: Flow,
  most = mostBytes,
): readonly { readonly path: string; readonly yaml: string }[] {
  const whole = gitlabYaml(model)
  if (Buffer.byteLength(whole) <= most) return [{ path: gitlabFile, yaml: whole }]
  const serviceOf = new Map(jobs.map((job) => [job.name, job.service]))
  const services = [...new Set(jobs.map((job) => job.service))].filter((name) => name !== undefined)
  const perFile = Math.ceil(services.length / mostFiles)
  const parts = new Map<string, Record<string, GitlabJob>>()
  const rest: Record<string, GitlabJob> = {}
  for (const [name, job] of Object.entries(model.jobs)) {
    const service = serviceOf.get(name)
    if (service === undefined) {
      rest[name] = job
      continue
    }
    const first = services[Math.floor(services.indexOf(service) / perFile) * perFile] ?? service
    const path = `${gitlabFolder}/${first}.yml`
    parts.set(path, { ...parts.get(path), [name]: job })
  }
  const main = { include: [...parts.keys()].map((local) => ({ local })), ...model, jobs: rest }
  return [
    { path: gitlabFile, yaml: gitlabYaml(main) },
    ...[...parts].map(([path, of]) => ({ path, yaml: gitlabYaml({ jobs: of }) })),
  ]
}
