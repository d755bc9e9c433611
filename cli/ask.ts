import { createInterface } from "node:readline/promises"
import { decide, proposalOf } from "../approvals/index.js"
import { toErrorRecord } from "../core/errors.js"
import type { RunRecord } from "../core/record.js"
import type { Store } from "../core/store.js"
import { cleanLine } from "../report/width.js"
import { describeEvidence } from "../steps/gate/describe.js"
import { renderFault } from "../report/fault.js"
import type { Settings } from "../steps/settings.js"
import { textOptions } from "./view.js"

/**
 * Asks at the terminal for the decision that a gate waits for. An empty answer leaves it waiting.
 * @returns true when a decision was noted: the run can go on
 */
export async function askAtGate(
  settings: Settings,
  store: Store,
  record: RunRecord,
  signal: AbortSignal,
): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  // The terminal is in raw mode: Ctrl-C and Ctrl-D come as characters, and would leave the question open for ever.
  const closed = new AbortController()
  terminal.on("SIGINT", () => process.kill(process.pid, "SIGINT"))
  terminal.on("close", () => closed.abort())
  const either = AbortSignal.any([signal, closed.signal])
  const question = (text: string) => terminal.question(text, { signal: either }).then((answer) => answer.trim())
  try {
    const { evidence } = await proposalOf(store, record.id, undefined, settings.approvers)
    process.stderr.write("\n" + describeEvidence(evidence.evidence).map(cleanLine).join("\n") + "\n")
    for (;;) {
      const who = await question("\nWho decides (name or e-mail; empty: leave it waiting)? ")
      if (who === "") return false
      const answer = (await question("approve or reject? ")).toLowerCase()
      if (answer !== "approve" && answer !== "reject") {
        process.stderr.write('Answer "approve" or "reject".\n')
        continue
      }
      const reason = await question("Reason: ")
      try {
        await decide({
          store,
          run: record.id,
          as: who,
          reason,
          decision: answer === "approve" ? "approved" : "rejected",
          approvers: settings.approvers,
        })
        return true
      } catch (error) {
        process.stderr.write(renderFault(toErrorRecord(error), textOptions()) + "\n")
      }
    }
  } catch {
    return false // Interrupted at the question: it stays waiting.
  } finally {
    terminal.close()
  }
}
