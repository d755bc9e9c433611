/**
 * Errors that a person reads. Each has a stable code, one line of message, a cause and what to do about it.
 * Throw one with `fault(code, …)`; anything else that is thrown is a bug or an unforeseen infrastructure error.
 */

/**
 * What an error means for the run:
 * `failed` the work said no (red tests, refused gate) · `errored` infrastructure, may be retried ·
 * `usage` the caller or the configuration is wrong · `waiting` somebody has to decide · `cancelled` interrupted.
 */
export type FaultKind = "failed" | "errored" | "usage" | "waiting" | "cancelled"

export interface FaultFields {
  readonly code: string
  readonly kind: FaultKind
  /** One line: what went wrong. */
  readonly message: string
  /** Why, as far as it is known: a peer's own words, a path, an exit code. */
  readonly reason?: string | undefined
  /** What to do now. A command where there is one. */
  readonly hint?: string | undefined
  readonly cause?: unknown
}

/** Branded by symbol, not by class: a second copy of the package in one process must still be recognised. */
const brand = Symbol.for("gantry.fault")

export interface Fault extends Error {
  readonly code: string
  readonly kind: FaultKind
  readonly reason?: string | undefined
  readonly hint?: string | undefined
}

/** Makes an error of the catalogue. Codes are `AREA-WORD`, upper case, e.g. `SUPPLY-NO-DOCKER`, and never change meaning. */
export function fault(fields: FaultFields): Fault {
  const error = new Error(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause })
  error.name = fields.code
  return Object.assign(error, {
    [brand]: true,
    code: fields.code,
    kind: fields.kind,
    reason: fields.reason,
    hint: fields.hint,
  })
}

export function isFault(error: unknown): error is Fault {
  return typeof error === "object" && error !== null && brand in error
}

/** The fault that an error is, or that stands somewhere along its causes: libraries wrap what is thrown through them. */
export function faultIn(error: unknown): Fault | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if (isFault(at)) return at
  }
  return undefined
}

/** The plain-JSON form of any thrown value, as records and reports hold it. Stack only for what is not in the catalogue. */
export interface ErrorRecord {
  readonly code: string
  readonly kind: FaultKind
  readonly message: string
  readonly reason?: string | undefined
  readonly hint?: string | undefined
  readonly stack?: string | undefined
}

export function toErrorRecord(error: unknown): ErrorRecord {
  if (isFault(error)) {
    return {
      code: error.code,
      kind: error.kind,
      message: error.message,
      ...(error.reason === undefined ? {} : { reason: error.reason }),
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    }
  }
  const e = error instanceof Error ? error : new Error(String(error))
  return {
    code: "UNEXPECTED",
    kind: "errored",
    message: e.message.split("\n")[0] ?? "",
    reason: e.message,
    stack: e.stack,
  }
}
