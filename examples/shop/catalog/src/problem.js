/** An error that the caller is told about: an HTTP status, a stable code, a sentence. Anything else thrown is a 500 without details. */
export class Problem extends Error {
  constructor(status, code, message) {
    super(message)
    this.name = "Problem"
    this.status = status
    this.code = code
  }
}

export const invalid = (message) => new Problem(400, "INVALID", message)
export const notFound = (message) => new Problem(404, "NOT_FOUND", message)
export const conflict = (code, message) => new Problem(409, code, message)
export const unavailable = (message) => new Problem(503, "UNAVAILABLE", message)
