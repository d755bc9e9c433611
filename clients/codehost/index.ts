import type { CodeHost } from "./host.js"
import type { Place } from "./place.js"
import type { HostOptions } from "./send.js"

export type { CodeHost, CommitStatus, GateAt, HostDecision, HostDeployment, Review } from "./host.js"
export { choosePlace, CodeHostConfig, hostName, knownPlace, type Place } from "./place.js"
export { tokenName } from "./faults.js"
export type { HostOptions } from "./send.js"

/** Tokens by the names of their variables: GITLAB_TOKEN, CI_JOB_TOKEN, GITHUB_TOKEN. */
export type HostTokens = Readonly<Partial<Record<"GITLAB_TOKEN" | "CI_JOB_TOKEN" | "GITHUB_TOKEN", string | undefined>>>

/** The client of the host that a project is at; the other one's is not even loaded. */
export async function openHost(at: Place, tokens: HostTokens, options: HostOptions = {}): Promise<CodeHost> {
  if (at.kind === "github") {
    const { githubHost } = await import("./github/index.js")
    return githubHost(at, tokens.GITHUB_TOKEN, options)
  }
  const { gitlabHost } = await import("./gitlab/index.js")
  return gitlabHost(at, { project: tokens.GITLAB_TOKEN, job: tokens.CI_JOB_TOKEN }, options)
}
