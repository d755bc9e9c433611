import { fault, type Fault } from "../../../core/errors.js"
import { lastLines, notReadyFault } from "../../faults.js"
import type { NotReady } from "../../readiness.js"
import type { ReleaseSpec } from "../../release.js"
import type { Instance } from "../../target.js"
import { objectName, type KubernetesObject } from "../object.js"
import type { Progress } from "./complete.js"

interface Where {
  readonly environment: string
  readonly service: string
}

const wrote = (logs: string | undefined) =>
  logs === undefined || logs.trim() === "" ? " It wrote nothing." : ` Its last lines:\n${lastLines(logs, 15)}`

/** An instance of the new release is not fit to serve. What is ready, its own probes say: not Gantry's readiness path. */
export function notFitFault(where: Where, release: ReleaseSpec, failure: NotReady, logs: string): Fault {
  if (failure.why !== "timeout") return notReadyFault(where, release, failure, logs)
  const { instance } = failure
  return fault({
    code: "DEPLOY-NOT-READY",
    kind: "failed",
    message: `${where.service} in ${where.environment}: ${instance.name} did not become ready`,
    reason: `Not within ${release.startupSeconds} s${instance.check === undefined ? "" : ` (${instance.check})`}.${wrote(logs)}`,
    hint: "Read its whole log among the step's artifacts. Are its readiness probe, and `health.startupTimeout` of gantry.service.yaml, right?",
  })
}

/** Nothing moved for the strategy's, or the Deployment's own, progressDeadlineSeconds. */
export function deadlineFault(
  where: Where,
  object: KubernetesObject | undefined,
  progress: Progress | undefined,
  seconds: number,
  bad: Instance | undefined,
  logs: string,
): Fault {
  const pod = bad === undefined ? "" : ` ${bad.name} is not ready${bad.check === undefined ? "" : ` (${bad.check})`}.`
  return fault({
    code: "DEPLOY-STUCK",
    kind: "failed",
    message: `${where.service} in ${where.environment} made no progress for ${Math.round(seconds)} s`,
    reason: `${object === undefined ? "" : objectName(object)}: ${progress?.failed ?? progress?.text ?? ""}.${pod}${bad === undefined ? "" : wrote(logs)}`,
    hint: "Read the events and logs of what is named. A Job that may take longer says so itself: activeDeadlineSeconds.",
  })
}

/** A Job of the release ended without success. */
export function jobFault(
  environment: string,
  service: string,
  job: KubernetesObject,
  said: string,
  logs: string | undefined,
): Fault {
  return fault({
    code: "OWN-JOB",
    kind: "failed",
    message: `${service} in ${environment}: ${objectName(job)} failed`,
    reason: `${said}.${wrote(logs)}`,
    hint: "Correct it and deliver a new release. A Job runs once for each release that is brought, also on the way back: running it again must do no harm.",
  })
}
