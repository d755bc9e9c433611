import { fault, type Fault } from "../core/errors.js"
import type { NotReady } from "./readiness.js"
import type { ReleaseSpec } from "./release.js"
import type { Instance, Target } from "./target.js"

export const lastLines = (text: string, count: number) => text.trimEnd().split("\n").slice(-count).join("\n")

/** An instance of the new release is not fit to serve: the work said no, trying again is pointless. */
export function notReadyFault(
  target: Pick<Target, "service" | "environment">,
  release: ReleaseSpec,
  failure: NotReady,
  logs: string,
): Fault {
  const { instance, why, afterSeconds } = failure
  const seconds = `${afterSeconds.toFixed(1)} s`
  const cause: Record<NotReady["why"], string> = {
    exited: `It ended with ${exitCodeText(instance.exit?.code)} after ${seconds}.`,
    "out-of-memory": `It was killed after ${seconds}: out of memory${
      release.resources.memoryMB === undefined ? "" : ` (limit ${release.resources.memoryMB} MB)`
    }.`,
    timeout: `GET ${release.readiness} on port ${release.port} did not answer 200 within ${release.startupSeconds} s${
      instance.check === undefined ? "" : ` (last check: ${instance.check})`
    }.`,
    gone: `It was removed by somebody else after ${seconds}.`,
    trouble: `${instance.trouble?.text ?? "It cannot run there"}.`,
  }
  return fault({
    code: codes[why],
    // What the place cannot do is not the release's fault.
    kind: why === "gone" || why === "trouble" ? "errored" : "failed",
    message: `${target.service} in ${target.environment}: ${instance.name} ${happened[why]}`,
    reason: `${cause[why]}${logs.trim() === "" ? " It wrote nothing." : ` Its last lines:\n${lastLines(logs, 15)}`}`,
    hint: hints[why],
  })
}

/** An exit code in words. 137 is told of a process that SIGKILL ended: somebody, or the kernel without Docker's knowledge. */
function exitCodeText(code: number | undefined): string {
  if (code === undefined) return "an unknown exit code"
  return code === 137
    ? "exit code 137 (SIGKILL: killed by somebody, or by a host that is out of memory)"
    : `exit code ${code}`
}

const codes: Record<NotReady["why"], string> = {
  exited: "DEPLOY-DIED",
  "out-of-memory": "DEPLOY-OUT-OF-MEMORY",
  timeout: "DEPLOY-NOT-READY",
  gone: "DEPLOY-NOT-READY",
  trouble: "DEPLOY-CANNOT-RUN",
}
const happened: Record<NotReady["why"], string> = {
  exited: "died before it was ready",
  "out-of-memory": "died before it was ready",
  timeout: "did not become ready",
  gone: "disappeared",
  trouble: "cannot run there",
}

const hints: Record<NotReady["why"], string> = {
  exited: "Read its whole log among the step's artifacts; correct the service or its configuration and run again.",
  "out-of-memory": "Raise `resources.memoryMB` of the environment in gantry.config.ts, or make the service need less.",
  timeout:
    "Read its whole log among the step's artifacts. Does it listen on 0.0.0.0? Are `build.port`, `health.readiness` and `health.startupTimeout` of gantry.service.yaml right?",
  trouble:
    "Give the place what it lacks: the image in a registry that its nodes reach, the Secret it names, or room for it; then run the same command again.",
  gone: "Find out who removes containers of this environment, then run the same command again.",
}

/** Nothing moved for the strategy's progressDeadlineSeconds. */
export function stuckFault(target: Target, seconds: number, instances: readonly Instance[], logs: string): Fault {
  const bad = instances.filter((i) => !i.healthy)
  return fault({
    code: "DEPLOY-STUCK",
    kind: "failed",
    message: `${target.service} in ${target.environment} made no progress for ${seconds} s`,
    reason: `${bad
      .map(
        (i) =>
          `${i.name} is not healthy${i.check === undefined ? "" : ` (${i.check})`}, restarted ${i.restarts} times.`,
      )
      .join(" ")}${logs.trim() === "" ? "" : ` Its last lines:\n${lastLines(logs, 15)}`}`,
    hint: "The instances were ready and stopped being so: read their logs among the step's artifacts.",
  })
}

/** The failure of a deployment, together with what became of the release before. */
export function withOutcome(failure: Fault, outcome: string): Fault {
  return fault({
    code: failure.code,
    kind: failure.kind,
    message: failure.message,
    reason: `${failure.reason ?? ""}\n${outcome}`.trim(),
    hint: failure.hint,
    cause: failure,
  })
}

/** The new release is not good enough for users: the figures say so, or its instances do. */
export function unfitFault(target: Target, percent: number, reason: string): Fault {
  return fault({
    code: "ROLLOUT-UNFIT",
    kind: "failed",
    message: `${target.service} in ${target.environment} was taken back at ${percent} % of the traffic`,
    reason,
    hint: "Correct it and deliver a new release. The same one is not brought there again unless a person says so: gantry promote.",
  })
}

/** The new release does not answer on the preview address as it should: no user has seen it. */
export function previewFault(target: Target, reason: string): Fault {
  return fault({
    code: "ROLLOUT-PREVIEW",
    kind: "failed",
    message: `${target.service} in ${target.environment}: the new release fails a check on its preview address`,
    reason,
    hint: "No user has seen it. Correct the service, or the strategy's `checks` in gantry.config.ts.",
  })
}

/** A person took it back. */
export function abortedFault(target: Target, decision: { readonly by: string; readonly reason: string }): Fault {
  return fault({
    code: "ROLLOUT-ABORTED",
    kind: "failed",
    message: `The rollout of ${target.service} in ${target.environment} was aborted by ${decision.by}`,
    reason: `${decision.by} says: ${decision.reason}`,
    hint: `Deliver a corrected release. This one is not brought there again unless a person says so: gantry promote ${target.environment} --service ${target.service}.`,
  })
}

/** Nobody can tell from the figures; a person has to. */
export function pausedFault(target: Target, why: string, commands: readonly string[]): Fault {
  return fault({
    code: "ROLLOUT-PAUSED",
    kind: "waiting",
    message: `The rollout of ${target.service} in ${target.environment} waits for a person`,
    reason: `${why}. The release before has all the traffic meanwhile; the new one is up and gets none.`,
    hint: commands.join("\n"),
  })
}

/** It was taken back before, and nobody has said since that it may go there again. */
export function refusedFault(target: Target, refusal: { readonly at: string; readonly why: string }): Fault {
  return fault({
    code: "ROLLOUT-REFUSED",
    kind: "failed",
    message: `${target.service}: this release was taken back from ${target.environment} at ${refusal.at}`,
    reason: refusal.why,
    hint: `Deliver a corrected one. If this one is good after all, a person says so: gantry promote ${target.environment} --service ${target.service} --as <name> --reason <text>; then run it again.`,
  })
}
