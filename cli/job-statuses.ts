import { setTimeout as pause } from "node:timers/promises"
import { statusReporter, type StatusReporter } from "../ci/feedback/status.js"
import type { CiRun } from "../ci/variables.js"
import type { Masker } from "../core/mask.js"
import { environmentSecrets } from "../core/secrets.js"
import { codeHostOf } from "../steps/code-host.js"
import type { Settings } from "../steps/settings.js"

/** Milliseconds that a job waits at its end for statuses that are still on their way. */
const patience = 15_000

const none: StatusReporter = { event: () => undefined, done: () => Promise.resolve() }

/**
 * Commit statuses for the steps of a job. None where it has no token for them, as on branches that are not protected: that is
 * how most merge requests run, and nothing to warn about.
 */
export async function jobStatuses(options: {
  readonly settings: Settings
  readonly ci: CiRun | undefined
  readonly commit: string
  readonly own: ReadonlySet<string>
  readonly env: NodeJS.ProcessEnv
  readonly masker: Masker
  warn(text: string): void
}): Promise<StatusReporter> {
  const { settings, ci, commit, own, env, masker, warn } = options
  if (ci === undefined || ci.fork || settings.codeHost === undefined) return none
  const token = await environmentSecrets(env).read(
    settings.codeHost.kind === "github" ? "GITHUB_TOKEN" : "GITLAB_TOKEN",
  )
  if (token === undefined) return none
  const policy = { attempts: 2, timeout: 10_000, maxPause: 2_000 }
  const host = await codeHostOf(settings, { env, mask: (value) => masker.add(value), policy })
  const { job, pipeline, ref } = ci
  const target = { commit, pipeline: pipeline.id, ref, url: job.url ?? pipeline.url }
  const reporter = statusReporter(host, target, own, (text) => warn(masker.text(text)))
  return { ...reporter, done: () => Promise.race([reporter.done(), pause(patience, undefined, { ref: false })]) }
}
