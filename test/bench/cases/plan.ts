import { join } from "node:path"
import type { Case } from "../case.js"
import { program } from "../process.js"

const count = 10_000

/** What `gantry plan` does with a huge pipeline: build the graph, sort it, ask the cache. */
export const plan: Case = {
  name: "plan",
  title: `Plan of ${count} steps, each behind three earlier ones; a process from start to end`,
  rounds: 5,
  async prepare(dir) {
    // A run fills the cache, of which the second variant then finds every step.
    await program("schedule", join(dir, "filled"), String(count), "cached")
  },
  variants: [
    { name: "nothing cached", run: (dir) => program("plan", join(dir, "empty"), String(count)) },
    { name: "everything cached", run: (dir) => program("plan", join(dir, "filled"), String(count)) },
    { name: "one step", run: (dir) => program("plan", join(dir, "empty"), "1") },
  ],
  conclude: (median) => [
    { name: "time, nothing cached", value: median("nothing cached", "ms") / 1000, unit: "s", goal: 1 },
    { name: "time, everything cached", value: median("everything cached", "ms") / 1000, unit: "s", goal: 1 },
    { name: "memory, nothing cached", value: median("nothing cached", "MB"), unit: "MB", goal: 200 },
    { name: "memory, everything cached", value: median("everything cached", "MB"), unit: "MB", goal: 200 },
    { name: "10,000 steps : one step", value: median("nothing cached", "ms") / median("one step", "ms"), unit: "×" },
  ],
}
