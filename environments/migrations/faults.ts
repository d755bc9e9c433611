import { fault } from "../../core/errors.js"
import type { TaskEnd } from "../task.js"
import type { MigrationEntry } from "./journal.js"

export interface Where {
  readonly service: string
  readonly environment: string
}

const lastLines = (text: string) => text.trimEnd().split("\n").slice(-15).join("\n")

/** The migration said no, or took too long. No instance has changed. */
export function failedFault({ service, environment }: Where, entry: MigrationEntry, end: TaskEnd) {
  const cause = end.timedOut
    ? `It was stopped after ${entry.timeoutSeconds} s (\`migrations.timeout\`).`
    : end.outOfMemory
      ? `It was killed after ${end.seconds.toFixed(1)} s: out of memory.`
      : `${entry.run} ended with exit code ${end.exitCode} after ${end.seconds.toFixed(1)} s.`
  return fault({
    code: end.timedOut ? "MIGRATION-TIMEOUT" : "MIGRATION-FAILED",
    kind: "failed",
    message: `The migration of ${service} in ${environment} ${end.timedOut ? "took too long" : "failed"}; no instance was touched`,
    reason: `${cause}${end.log.trim() === "" ? " It wrote nothing." : ` Its last lines:\n${lastLines(end.log)}`}`,
    hint: "MariaDB commits each DDL statement by itself: part of it may have been applied. Its whole log is among the step's artifacts. Correct the migration and deliver again; `gantry resume` runs the same one once more.",
  })
}

/** Old instances would meet a schema that they cannot work with. */
export function incompatibleFault({ service, environment }: Where, strategy: string) {
  return fault({
    code: "MIGRATION-INCOMPATIBLE",
    kind: "failed",
    message: `The migration of ${service} is not backwards compatible: ${environment} cannot take it with the strategy ${strategy}`,
    reason: `\`migrations.compatible: false\` of its gantry.service.yaml. With ${strategy} the release that runs there would serve users on the new schema. Nothing was changed.`,
    hint: `Split it: first only add (expand), take away one release later (contract). Or environments.${environment}.strategy: { kind: "blue-green" }, where all traffic moves at once; there is no way back then.`,
  })
}

/** Begun by a process that is gone, and its container is gone as well; or lost while it ran. Never repeated blindly. */
export function unknownFault({ service, environment }: Where, entry: MigrationEntry, why = "its container is gone.") {
  return fault({
    code: "MIGRATION-UNKNOWN",
    kind: "errored",
    message: `Nobody knows how a migration of ${service} in ${environment} ended`,
    reason: `${entry.run} of commit ${entry.commit.slice(0, 12)} began at ${entry.startedAt}; ${why}`,
    hint: `Look at the database, then say how it ended: gantry env settle ${environment} ${service} done|failed --reason "…". After \`failed\` it runs again.`,
  })
}

export function cancelledFault({ service, environment }: Where, container: string, cause: unknown) {
  return fault({
    code: "MIGRATION-CANCELLED",
    kind: "cancelled",
    message: `Nobody waits any more for the migration of ${service} in ${environment}`,
    reason: `It goes on in the container ${container}: half a migration is worse than a whole one.`,
    hint: "The next delivery, or `gantry resume`, waits for its end and goes on from there.",
    cause,
  })
}
