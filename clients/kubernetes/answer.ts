import { garbledFault, type Status } from "./faults.js"
import type { KubeAnswer } from "./send.js"

/** What an answer that says no tells; without a Status object, the beginning of what is there. */
export function statusOf({ status, text }: KubeAnswer): Status {
  try {
    return { ...(JSON.parse(text) as Status), code: status }
  } catch {
    return { code: status, message: text.slice(0, 300) }
  }
}

/** @throws K8S-GARBLED */
export function parsed(server: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw garbledFault(server, text)
  }
}
