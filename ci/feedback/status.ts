import type { CodeHost, CommitStatus } from "../../clients/codehost/index.js"
import { toErrorRecord } from "../../core/errors.js"
import type { RunEvent, StepStatus } from "../../core/events.js"

const stateOf: Readonly<Record<StepStatus, CommitStatus["state"]>> = {
  pending: "pending",
  running: "running",
  success: "success",
  failed: "failed",
  errored: "failed",
  skipped: "skipped",
  cancelled: "cancelled",
  waiting: "waiting",
}

export interface StatusTarget {
  readonly commit: string
  readonly pipeline?: string | undefined
  readonly ref?: string | undefined
  /** Page that the status leads to. */
  readonly url?: string | undefined
}

/**
 * Sets the commit's status of a step, `gantry/<step>`. Never throws: a delivery needs nothing from the host for it.
 * @returns why it was not set; undefined when it was
 */
export async function reportStatus(
  host: Pick<CodeHost, "setStatus">,
  target: StatusTarget,
  step: string,
  status: StepStatus,
  description?: string,
): Promise<string | undefined> {
  try {
    await host.setStatus({ ...target, name: `gantry/${step}`, state: stateOf[status], description })
    return undefined
  } catch (error) {
    const { message, reason } = toErrorRecord(error)
    return reason === undefined ? message : `${message} (${reason})`
  }
}

export interface StatusReporter {
  /** To be told every event of a run. Answers at once; statuses go out one after the other behind it. */
  event(event: RunEvent): void
  /** Settles when all have gone out, or were given up. */
  done(): Promise<void>
}

/**
 * Statuses for the steps of a run as they begin and end. After the first that cannot be set, said once, no more are tried: a
 * host that is away must not hold up what does not need it.
 * @param steps ids that are told about: a job's own
 */
export function statusReporter(
  host: Pick<CodeHost, "setStatus">,
  target: StatusTarget,
  steps: ReadonlySet<string>,
  warn: (text: string) => void,
): StatusReporter {
  let queue: Promise<void> = Promise.resolve()
  let givenUp = false
  const tell = (step: string, status: StepStatus, description?: string) => {
    if (!steps.has(step)) return
    queue = queue.then(async () => {
      if (givenUp) return
      const why = await reportStatus(host, target, step, status, description)
      if (why === undefined) return
      givenUp = true
      warn(`commit statuses are not set: ${why}`)
    })
  }
  return {
    event(event) {
      if (event.type === "step-started") tell(event.step, "running")
      if (event.type === "step-finished") {
        const why = event.error?.message ?? event.reason
        tell(event.step, event.status, event.status === "skipped" ? `skipped: ${why ?? ""}` : why)
      }
    },
    done: () => queue,
  }
}
