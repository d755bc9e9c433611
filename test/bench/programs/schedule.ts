import { execute } from "../../../core/execute.js"
import { environmentSecrets } from "../../../core/secrets.js"
import { openStore } from "../../../core/store.js"
import { noopGraph, type Kind } from "../graph.js"

/** Runs a graph of steps that do nothing. Arguments: project folder, number of steps, kind. */
const [project = "", count = "1", kind = "plain"] = process.argv.slice(2)
const pipeline = noopGraph(Number(count), kind as Kind)
const started = performance.now()
const record = await execute({
  store: openStore(project),
  project,
  pipeline,
  selection: {},
  services: [],
  commit: "c0ffee",
  dirty: false,
  facts: {},
  secrets: environmentSecrets({}),
  session: {
    open: () => Promise.reject(new Error("no engine")),
    classify: () => undefined,
    close: () => Promise.resolve(),
  },
  concurrency: 4,
})
if (record.status !== "success" || record.steps.length !== Number(count)) throw new Error(`the run is ${record.status}`)
process.stdout.write(
  JSON.stringify({ "inside ms": performance.now() - started, MB: process.resourceUsage().maxRSS / 1024 }),
)
