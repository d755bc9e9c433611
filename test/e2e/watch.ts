import { setTimeout as pause } from "node:timers/promises"
import { listRuns, openStore, readLog, readState } from "../../core/store.js"

/** Id of the newest run of a project. */
export async function newestRun(dir: string): Promise<string | undefined> {
  return (await listRuns(openStore(dir)))[0]
}

/** Waits until a step of a run newer than `since` is in a state, as the journal tells. Answers the run's id. */
export async function untilStep(dir: string, step: string, status: string, since: string | undefined): Promise<string> {
  const deadline = Date.now() + 300_000
  for (;;) {
    const id = await newestRun(dir)
    if (id !== undefined && id !== since) {
      const state = await readState(openStore(dir), id).catch(() => undefined)
      const found = state?.index.get(step)?.status
      if (found === status) return id
      if (found === "failed" || found === "errored") throw new Error(`${step} is ${found}`)
    }
    if (Date.now() > deadline) throw new Error(`${step} did not get ${status}`)
    await pause(50)
  }
}

/** Waits until a step's log has a text: then its session is open and its work under way. */
export async function untilLog(dir: string, run: string, step: string, text: string): Promise<void> {
  const deadline = Date.now() + 120_000
  while ((await readLog(openStore(dir), run, step))?.includes(text) !== true) {
    if (Date.now() > deadline) throw new Error(`the log of ${step} never had "${text}"`)
    await pause(50)
  }
}
