import { beforeEach, inject } from "vitest"
import { kubectlFor } from "../lab/kubernetes/index.js"

/** Of all events, the last: what was red is young. */
const recent = 40
/** The test may have taken the API server away. Milliseconds. */
const timeoutMs = 30_000

/** A red test on the cluster is told with what the cluster said at that moment: hardly any can be seen again otherwise. */
beforeEach(({ onTestFailed }) => {
  onTestFailed(async () => {
    for (const args of [
      ["get", "pods", "--all-namespaces", "--output=wide"],
      ["get", "events", "--all-namespaces", "--sort-by=.lastTimestamp"],
      ["describe", "nodes"],
    ])
      console.log(`kubectl ${args.join(" ")}\n${await said(args)}`)
  })
})

async function said(args: readonly string[]): Promise<string> {
  try {
    const text = await (await kubectlFor(inject("kubeconfig")))(args, { timeoutMs })
    return args[1] === "events" ? text.trimEnd().split("\n").slice(-recent).join("\n") : text
  } catch (error) {
    return String(error)
  }
}
