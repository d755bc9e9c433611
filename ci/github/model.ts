/** The part of GitHub's workflow syntax that Gantry writes (https://docs.github.com/actions/reference/workflow-syntax), as data. */

export interface GithubStep {
  readonly name?: string
  readonly id?: string
  readonly if?: string
  readonly uses?: string
  readonly with?: Readonly<Record<string, string | number | boolean>>
  readonly run?: string
  readonly env?: Readonly<Record<string, string>>
}

export interface GithubJob {
  readonly name: string
  readonly needs?: readonly string[]
  readonly if?: string
  readonly "runs-on": readonly string[]
  readonly environment?: { readonly name: string; readonly url?: string }
  readonly concurrency?: { readonly group: string; readonly "cancel-in-progress": boolean }
  readonly "timeout-minutes": number
  readonly "continue-on-error"?: boolean
  readonly permissions?: Readonly<Record<string, "read" | "write">>
  readonly outputs?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly steps: readonly GithubStep[]
}

export interface GithubWorkflow {
  readonly name: string
  readonly on: Readonly<Record<string, unknown>>
  readonly permissions: Readonly<Record<string, "read" | "write">>
  readonly concurrency: { readonly group: string; readonly "cancel-in-progress": string | boolean }
  readonly env: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, GithubJob>>
}
