import { fault } from "../core/errors.js"
import { recordKeyName } from "../core/sealed.js"
import { environmentSecrets, withholdSecrets, type SecretSource } from "../core/secrets.js"
import type { AnyStep } from "../core/step.js"
import type { CiSettings } from "../steps/ci.js"
import { withIdTokens, type Audiences } from "./id-tokens.js"
import { keptBack } from "./gitlab/visible.js"
import type { CiRun, Env } from "./variables.js"

/**
 * Tokens and passwords that a CI system hands to every job, and those of the code host. Steps that need one declare it; nobody
 * else is to see one. (https://docs.gitlab.com/ci/variables/predefined_variables/,
 * https://docs.github.com/actions/reference/workflows-and-actions/variables)
 */
const tokens = [
  "CI_JOB_TOKEN",
  "CI_REGISTRY_PASSWORD",
  "CI_DEPLOY_PASSWORD",
  "CI_DEPENDENCY_PROXY_PASSWORD",
  "CI_RUNNER_SHORT_TOKEN",
  "CI_JOB_JWT",
  "CI_JOB_JWT_V1",
  "CI_JOB_JWT_V2",
  "GITLAB_TOKEN",
  "GITHUB_TOKEN",
  "ACTIONS_RUNTIME_TOKEN",
  "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
]

/** With the job's token in it: https://gitlab-ci-token:…@host/path */
const addresses = ["CI_REPOSITORY_URL"]

/** A JSON web token: `id_tokens` come under names of the pipeline's own choice (RFC 7519; a header begins with `{"`). */
const webToken = /^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*$/

/** Values that are masked in a CI job whether or not a step declares them. */
export function ciTokens(env: Env): readonly string[] {
  return [...tokens, recordKeyName, ...webTokens(env)].map((name) => env[name] ?? "").filter((value) => value !== "")
}

/**
 * Takes out of the environment what no step is to find there: the CI system's tokens, what steps declare as secrets, and in a
 * GitLab job whatever its project's settings may have brought.
 * @returns the names of the last, which nobody has declared
 */
export function withholdFromSteps(
  env: NodeJS.ProcessEnv,
  steps: readonly Pick<AnyStep, "secrets">[],
  { gitlab }: Pick<CiSettings, "gitlab">,
): readonly string[] {
  withholdSecrets(env, [...tokens, ...addresses, ...webTokens(env), ...steps.flatMap((step) => step.secrets)])
  const others = keptBack(env, [...Object.keys(gitlab.variables), ...gitlab.visible])
  withholdSecrets(env, others)
  return others
}

const webTokens = (env: Env) => Object.keys(env).filter((name) => webToken.test(env[name] ?? ""))

/**
 * The secrets of a CI job, or of a process elsewhere (`ci` undefined). A fork's merge request gets none, whatever the CI system would hand out: its code is a
 * stranger's. For a missing one it says why GitLab holds it back.
 */
export function ciSecrets(env: Env, ci: CiRun | undefined, audiences: Audiences = new Map()): SecretSource {
  const source = environmentSecrets(env)
  const explained = ci === undefined ? source : { ...source, whyMissing: (name: string) => whyMissing(name, ci) }
  return ci?.fork === true
    ? { ...explained, read: () => Promise.resolve(undefined) }
    : withIdTokens(explained, env, audiences, ci)
}

function whyMissing(name: string, ci: CiRun): { readonly reason: string; readonly hint: string } {
  if (ci.fork) {
    return {
      reason: "This is the merge request of a fork, and a fork's code gets no secrets.",
      hint: "After a review, push the commit to a branch of this project and run its pipeline.",
    }
  }
  if (ci.host === "github") {
    return {
      reason: `Secrets reach a job through \`env\` of the workflow; the generated one has a line for ${name}.`,
      hint: `Add ${name} in the repository's (or the environment's) secrets, and generate the workflow again.`,
    }
  }
  const ref = ci.tag === undefined ? `Branch ${ci.ref ?? ci.branch ?? "(unknown)"}` : `Tag ${ci.tag}`
  return ci.protectedRef
    ? {
        reason: `${ref} is protected, so GitLab hands out protected variables here; ${name} is not among them.`,
        hint: `Add ${name} in Settings → CI/CD → Variables; look at its environment scope if it is there.`,
      }
    : {
        reason: `${ref} is not protected: GitLab holds protected variables back.`,
        hint: `Protect it in Settings → Repository, or clear "Protect variable" of ${name} in Settings → CI/CD → Variables.`,
      }
}

/** Shorter ones could be guessed offline from any record. Characters. */
const shortestKey = 16

/** The key that records are sealed with; undefined where the job has none. @throws RECORD-KEY */
export function recordKey(env: Env, ci: CiRun | undefined): string | undefined {
  const key = (env[recordKeyName] ?? "").trim()
  if (key === "" || ci?.fork === true) return undefined
  if (key.length >= shortestKey) return key
  throw fault({
    code: "RECORD-KEY",
    kind: "usage",
    message: `${recordKeyName} has ${key.length} characters; it takes at least ${shortestKey}`,
    reason: "Records lie in artifacts that many can read: a short key could be found by trying.",
    hint: "openssl rand -hex 32, and set that as a protected and masked CI variable.",
  })
}
