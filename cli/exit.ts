import type { FaultKind } from "../core/errors.js"
import type { RunStatus } from "../core/events.js"

/** Exit codes, documented in docs/cli.md: 5 (drift) belongs to `generate --check`. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, errored: 3, waiting: 4, drift: 5, interrupted: 130 } as const

export function exitCodeOf(status: RunStatus): number {
  switch (status) {
    case "success":
      return exitCodes.ok
    case "failed":
      return exitCodes.failed
    case "errored":
    case "running":
      return exitCodes.errored
    case "waiting":
      return exitCodes.waiting
    case "cancelled":
      return exitCodes.interrupted
    default:
      return status satisfies never
  }
}

export function exitCodeOfFault(kind: FaultKind): number {
  return {
    failed: exitCodes.failed,
    errored: exitCodes.errored,
    usage: exitCodes.usage,
    waiting: exitCodes.waiting,
    cancelled: exitCodes.interrupted,
  }[kind]
}
