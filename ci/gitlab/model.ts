/** The part of GitLab's configuration that Gantry writes (https://docs.gitlab.com/ci/yaml/), as data. */
import type { Tier } from "../environment.js"

export const gitlabFile = ".gitlab-ci.yml"
/** Holds files of services when one file would become too large. */
export const gitlabFolder = ".gitlab/gantry"

/** `!reference [.shared, rules]`: what another entry says, put in its place. */
export interface Reference {
  readonly reference: readonly string[]
}

export interface Rule {
  readonly if?: string
  readonly changes?: readonly string[] | Reference
  readonly when?: "on_success" | "manual" | "always" | "never"
  readonly allow_failure?: boolean
}

export interface Need {
  readonly job: string
  readonly artifacts: boolean
  readonly optional?: boolean
}

export interface EnvironmentUse {
  readonly name: string
  readonly action?: "prepare" | "verify" | "stop"
  readonly url?: string
  readonly deployment_tier?: Tier
  readonly on_stop?: string
}

export interface ArtifactReports {
  readonly junit?: string
  readonly coverage_report?: { readonly coverage_format: "cobertura"; readonly path: string }
  readonly codequality?: string
  readonly container_scanning?: string
  readonly cyclonedx?: string
  readonly dotenv?: string
}

export interface GitlabJob {
  /** Only of `.shared`: globs that others refer to. */
  readonly paths?: readonly string[]
  readonly extends?: string | readonly string[]
  readonly stage?: string
  readonly needs?: readonly Need[]
  readonly rules?: readonly (Rule | Reference)[]
  readonly environment?: EnvironmentUse
  readonly resource_group?: string
  readonly interruptible?: boolean
  readonly allow_failure?: boolean
  readonly timeout?: string
  readonly variables?: Readonly<Record<string, string>>
  readonly coverage?: string
  readonly before_script?: readonly string[]
  readonly script?: readonly string[]
  readonly id_tokens?: Readonly<Record<string, { readonly aud: string }>>
  readonly artifacts?: {
    readonly when?: "always"
    readonly expire_in?: string
    readonly paths?: readonly string[]
    readonly exclude?: readonly string[]
    readonly reports?: ArtifactReports
  }
}

export interface GitlabDefaults {
  readonly image: string
  readonly tags?: readonly string[]
  readonly before_script: readonly string[]
  readonly retry: { readonly max: number; readonly exit_codes: readonly number[]; readonly when: readonly string[] }
  readonly cache: {
    readonly key: { readonly files: readonly string[] }
    readonly paths: readonly string[]
    readonly policy: "pull-push"
  }
}

export interface GitlabFile {
  readonly include?: readonly { readonly local: string }[]
  readonly workflow?: {
    readonly name: string
    readonly auto_cancel: { on_new_commit: "conservative" }
    readonly rules: readonly Rule[]
  }
  readonly default?: GitlabDefaults
  readonly variables?: Readonly<Record<string, string>>
  readonly stages?: readonly string[]
  /** By name; those that begin with a dot are what others refer to. */
  readonly jobs: Readonly<Record<string, GitlabJob>>
}
