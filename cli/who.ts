import { findApprover, isSamePerson } from "../approvals/index.js"
import { fault } from "../core/errors.js"
import type { Environment } from "../environments/environment.js"
import { tryGit } from "../steps/git.js"
import type { Settings } from "../steps/settings.js"
import { commitFacts } from "../steps/gate/authors.js"

/**
 * Who gives an order about an environment. Where people have to approve, only they may; elsewhere whoever git says it is.
 * @param notAuthorOf a commit whose authors may not: who goes on with a release judges it
 * @throws PERSON-UNKNOWN, PERSON-REFUSED
 */
export async function personFor(
  settings: Settings,
  environment: Environment,
  as: string | undefined,
  notAuthorOf?: string,
): Promise<string> {
  if (environment.approvals === undefined) {
    const name = as ?? (await tryGit(["config", "user.name"], { cwd: settings.root })).stdout.trim()
    if (name !== undefined && name !== "") return name
    throw unknown("Neither --as nor git's user.name says who you are", undefined, "Say so: --as <name>")
  }
  const able = settings.approvers.map((a) => `${a.name} <${a.email}>`).join(", ") || "nobody"
  const hint = `May do so: ${able}. Approvers are listed in gantry.config.ts.`
  if (as === undefined)
    throw unknown(`${environment.name} demands approvals: say who you are with --as`, undefined, hint)
  const approver = findApprover(as, settings.approvers)
  if (approver === undefined) throw unknown(`"${as}" is not an approver, or names several`, undefined, hint)
  if (notAuthorOf !== undefined) {
    const { authors } = await commitFacts({ project: settings.root, commit: notAuthorOf }, undefined)
    if (authors.some((author) => isSamePerson(author, approver))) {
      throw fault({
        code: "PERSON-REFUSED",
        kind: "failed",
        message: `${approver.name} may not decide about this release`,
        reason: `${approver.name} is an author of commit ${notAuthorOf.slice(0, 12)}.`,
        hint,
      })
    }
  }
  return approver.name
}

function unknown(message: string, reason: string | undefined, hint: string) {
  return fault({ code: "PERSON-UNKNOWN", kind: "usage", message, reason, hint })
}

/** An order has a reason. @throws PERSON-REASON */
export function reasonOf(reason: string): string {
  if (reason.trim() !== "") return reason.trim()
  throw fault({ code: "PERSON-REASON", kind: "usage", message: "It needs a reason", hint: "--reason <text>" })
}
