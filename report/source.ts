import type { RunRecord } from "../core/record.js"

/** What is known of the commit, as far as some step's output says it. */
export interface SourceFacts {
  /** "name <email>". */
  readonly author: string
  readonly subject: string | undefined
}

/**
 * Author and subject out of the output of whichever step checked the commit out: the first output that has the run's
 * commit and an author. Renderers know no step by name.
 */
export function findSource(record: RunRecord): SourceFacts | undefined {
  for (const { output } of record.steps) {
    if (!isObject(output) || output["commit"] !== record.commit || !isObject(output["author"])) continue
    const { name, email } = output["author"]
    if (typeof name !== "string") continue
    const subject = output["subject"]
    return {
      author: typeof email === "string" ? `${name} <${email}>` : name,
      subject: typeof subject === "string" ? subject : undefined,
    }
  }
  return undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
