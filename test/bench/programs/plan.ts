import { makePlan } from "../../../core/plan.js"
import { noopGraph } from "../graph.js"

/** Plans a graph of steps that do nothing. Arguments: project folder, number of steps. */
const [project = "", count = "1"] = process.argv.slice(2)
const started = performance.now()
const plan = await makePlan({
  pipeline: noopGraph(Number(count), "cached"),
  selection: {},
  services: [],
  facts: {},
  run: { id: "plan", pipeline: "noop", dir: project, project, commit: "c0ffee", dirty: false },
  cacheRoot: `${project}/.gantry`,
  known: new Map(),
  hasSecret: () => true,
})
const cached = plan.steps.filter((s) => s.action === "cached").length
process.stdout.write(
  JSON.stringify({ "inside ms": performance.now() - started, MB: process.resourceUsage().maxRSS / 1024, cached }),
)
