import { fault, type Fault } from "../../core/errors.js"
import { hostName, type Place } from "./place.js"

/** What an answer that is an error means, told apart by what somebody has to do about it. */
export function answerFault(at: Place, what: string, status: number, said: string): Fault {
  const host = hostName(at)
  const reason = `${at.url}, project ${at.project}: ${what} was answered ${status}${said === "" ? "" : `: ${said}`}`
  const token = tokenName(at)
  switch (status) {
    case 401:
      return fault({
        code: "CODEHOST-DENIED",
        kind: "usage",
        message: `${host} does not accept the token`,
        reason,
        hint: `It expired, was revoked or is another instance's. Make a new one (docs/code-hosts.md says with which scopes) and set ${token}.`,
      })
    case 403:
      return fault({
        code: "CODEHOST-DENIED",
        kind: "usage",
        message: `${host} knows the token, but it may not do this`,
        reason,
        hint: `${token} lacks a scope or a role for this; docs/code-hosts.md lists which are needed.`,
      })
    case 404:
      return fault({
        code: "CODEHOST-NOT-FOUND",
        kind: "usage",
        message: `${host} does not know this, or hides it`,
        reason,
        hint: `A private project is hidden from a token that is no member of it: check project ${at.project} and ${token}.`,
      })
    case 409:
      return fault({
        code: "CODEHOST-CONFLICT",
        kind: "failed",
        message: `${host} says that this contradicts something there`,
        reason,
        hint: "Somebody changed it at the same time, or the merge request has conflicts: look at it there, then try again.",
      })
    default:
      return fault({
        code: "CODEHOST-REFUSED",
        kind: "usage",
        message: `${host} refuses the request`,
        reason,
        hint: "The reason is the host's own word. If it speaks of a field, the instance may be older than Gantry knows.",
      })
  }
}

/** A proxy's or a login page where an answer of the API was expected. */
export function pageFault(at: Place, what: string, type: string, text: string): Fault {
  const title = /<title[^>]*>([^<]*)/i.exec(text)?.[1]?.trim()
  return fault({
    code: "CODEHOST-UNAVAILABLE",
    kind: "errored",
    message: `${hostName(at)} answered a web page, not the API`,
    reason: `${at.url}: ${what} was answered ${type}${title === undefined ? `: ${text.slice(0, 100)}` : ` with the title "${title}"`}`,
    hint: "A login page or a proxy stands in between, or the address lacks the path of the instance: check codeHost.url.",
  })
}

/** An answer whose shape is not what the API's description says. */
export function shapeFault(at: Place, what: string, reason: string): Fault {
  return fault({
    code: "CODEHOST-ANSWER",
    kind: "errored",
    message: `${hostName(at)}'s answer cannot be read`,
    reason: `${at.url}: ${what}: ${reason}`,
    hint: "The instance may be older or newer than Gantry knows; docs/code-hosts.md names the versions.",
  })
}

/** A token that was not given. */
export function tokenMissing(at: Place, what: string): Fault {
  return fault({
    code: "CODEHOST-TOKEN",
    kind: "usage",
    message: `${hostName(at)} cannot be asked for ${what} without a token`,
    reason: `${tokenName(at)} is not set. A protected variable is there only on protected branches and tags.`,
    hint: `Set ${tokenName(at)} as a protected and masked variable; docs/code-hosts.md says with which scopes.`,
  })
}

export const tokenName = (at: Pick<Place, "kind">) => (at.kind === "gitlab" ? "GITLAB_TOKEN" : "GITHUB_TOKEN")
