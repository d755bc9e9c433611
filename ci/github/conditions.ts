import type { Condition } from "../../core/condition.js"
import { inCi } from "../condition.js"
import type { Presence } from "../job.js"

const isMergeRequest = "github.event_name == 'pull_request'"
const sourceBranch = "(github.head_ref || (github.ref_type == 'branch' && github.ref_name) || '')"

/** Id of the job that finds out which services a change affects. */
export const affectedJob = "affected"

/**
 * When a job runs, as an expression of GitHub's. A job behind one that was left out runs all the same; behind a red or a
 * cancelled one it does not.
 */
export function ifOf(presence: Presence): string {
  const parts = ["!failure()", "!cancelled()"]
  if (!presence.mergeRequests) parts.push(`!(${isMergeRequest})`)
  if (presence.services !== undefined) {
    const tests = presence.services.map(
      (name) => `contains(fromJSON(needs.${affectedJob}.outputs.services), '${name}')`,
    )
    // Of many only whether there is any: an expression has a limit of its own.
    parts.push(tests.length > 5 ? `needs.${affectedJob}.outputs.services != '[]'` : group(tests, "||"))
  }
  const condition = presence.when === undefined ? undefined : expression(presence.when)
  if (condition !== undefined) parts.push(condition)
  return `\${{ ${parts.join(" && ")} }}`
}

/**
 * A condition as an expression; undefined: it always holds. What GitHub cannot know (patterns with `*` inside, changed paths)
 * counts as true: `gantry job` asks the condition itself.
 */
function expression(condition: Condition): string | undefined {
  const open = inCi(condition)
  switch (open?.kind) {
    case undefined:
    case "clean":
    case "changes":
      return undefined
    case "branch": {
      const tests = open.names.map((name) => {
        const prefix = /^[^*?]*/.exec(name)?.[0] ?? ""
        return prefix === name ? `${sourceBranch} == ${quoted(name)}` : `startsWith(${sourceBranch}, ${quoted(prefix)})`
      })
      return tests.length === 0 ? "false" : group(tests, "||")
    }
    case "tag":
      return "github.ref_type == 'tag'"
    case "merge-request":
      return isMergeRequest
    case "schedule":
      return "github.event_name == 'schedule'"
    case "all": {
      const parts = open.of.map(expression).filter((part) => part !== undefined)
      return parts.length === 0 ? undefined : parts.join(" && ")
    }
    case "any": {
      const parts = open.of.map(expression)
      if (parts.includes(undefined)) return undefined
      return parts.length === 0
        ? "false"
        : group(
            parts.filter((p) => p !== undefined),
            "||",
          )
    }
    default:
      return open satisfies never
  }
}

function group(tests: readonly string[], operator: "||"): string {
  return tests.length === 1 ? (tests[0] ?? "") : `(${tests.join(` ${operator} `)})`
}

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`
