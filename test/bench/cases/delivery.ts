import { resolve } from "node:path"
import { openStore, listRuns, readRun } from "../../../core/store.js"
import type { Case, Sample } from "../case.js"
import { timed } from "../process.js"

const command = resolve("dist/cli/main.js")

/** `gantry run delivery` of the catalog up to the gate (exit code 4): SonarQube and the deployments to TEST and UAT included. */
async function deliver(): Promise<Sample> {
  // It waits for approval, which is no failure here; anything else is.
  const argv = ["sh", "-c", '"$@"; code=$?; [ $code = 4 ]', "sh", process.execPath, command, "run", "delivery"]
  const { ms } = await timed([...argv, "--service", "catalog"], { env: { CI: "1" } })
  const store = openStore(process.cwd())
  const record = await readRun(store, (await listRuns(store))[0] ?? "")
  const seconds = record.steps
    .filter((s) => s.startedAt !== undefined && s.finishedAt !== undefined && !s.cached)
    .map((s) => [s.id, (Date.parse(s.finishedAt ?? "") - Date.parse(s.startedAt ?? "")) / 1000] as const)
  return { s: ms / 1000, ...Object.fromEntries(seconds.filter(([, s]) => s >= 0.05)) }
}

/** A warm delivery, nothing changed. It runs in this project, with its stack and its environments. */
export const delivery: Case = {
  name: "delivery",
  title: "gantry run delivery --service catalog up to the gate, nothing changed; seconds of each step that ran",
  rounds: 3,
  async prepare() {
    await timed(["npm", "run", "--silent", "build"])
  },
  variants: [{ name: "warm", run: deliver }],
  conclude: (median) => [{ name: "warm delivery", value: median("warm", "s"), unit: "s", goal: 90 }],
}
