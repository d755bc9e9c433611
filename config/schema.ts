import { z } from "zod"
import { Approver } from "../approvals/index.js"
import { CodeHostConfig } from "../clients/codehost/place.js"
import type { Pipeline } from "../core/pipeline.js"
import { engineConfig } from "../engine/config.js"
import { Environments } from "../environments/environment.js"
import { CiSettings } from "../steps/ci.js"
import type { Settings } from "../steps/settings.js"
import { scanPolicy } from "../steps/trivy/policy.js"

/** A pipeline, or what makes one from the configuration of the project. */
export type PipelineSource = Pipeline | ((settings: Settings) => Pipeline)

const PipelineEntry = z.custom<PipelineSource>(
  (value) => typeof value === "function" || (typeof value === "object" && value !== null && "steps" in value),
  "must be a pipeline, or a function that makes one from the settings",
)

/** `gantry.config.ts`, as a person writes it. Everything has a default but the project's name. */
export const ProjectConfig = z.strictObject({
  /** Lower case: prefix of image names, SonarQube keys and containers. */
  project: z.string().regex(/^[a-z][a-z0-9-]{0,29}$/, "lower-case letters, digits and - (at most 30)"),
  /** Folders with a gantry.service.yaml, relative to the project. */
  services: z.array(z.string()).default([]),
  /** Folder of the config repository: `service-common/`, `service-<name>/`, each with application{,-<profile>}.yml. */
  configRepo: z.string().optional(),
  environments: Environments,
  approvers: z.array(Approver).default([]),
  scan: scanPolicy.prefault({}),
  engine: engineConfig.prefault({}),
  /** How the pipelines run in GitLab CI and GitHub Actions: `gantry generate`. */
  ci: CiSettings.prefault({}),
  /** Where the project's code is. Default: what CI's variables or git's origin say. */
  codeHost: CodeHostConfig.optional(),
  /** Pipelines by name. `delivery` is there without being named. */
  pipelines: z.record(z.string(), PipelineEntry).default({}),
})
export type ProjectConfig = z.output<typeof ProjectConfig>
export type ProjectConfigInput = z.input<typeof ProjectConfig>

/** Gives an editor the types of the configuration. */
export function defineConfig(config: ProjectConfigInput): ProjectConfigInput {
  return config
}
