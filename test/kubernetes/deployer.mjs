// A deployer as a process of its own, so that a test can kill it: `node deployer.mjs <json>`. Prints what it tells.
// Of the built package: translating the sources in each of these processes took longer than what they do.
import { engineContext } from "../../build/engine/context.js"
import { resolveImage } from "../../build/engine/index.js"
import { deployRelease, environment } from "../../build/environments/index.js"
import { kubernetesTarget } from "../../build/environments/kubernetes/target.js"

/** Project, input of the environment, release. */
const { project, input, release } = JSON.parse(process.argv[2] ?? "")
const tell = (line) => void process.stdout.write(`${line}\n`)
const env = environment("test", input)
const requests = { canary: 100, baseline: 100 }
const done = await deployRelease({
  target: await kubernetesTarget({
    engine: engineContext(project.engine),
    project,
    environment: env,
    service: release.service,
    image: async (reference) => (await resolveImage(project.engine, reference)).reference,
    tell,
  }),
  environment: env,
  release,
  judge: () => Promise.resolve({ judgement: "pass", at: new Date().toISOString(), requests, measures: [], reason: "" }),
  signal: new AbortController().signal,
  tell,
  keepLog: () => Promise.resolve(),
})
tell(`deployed unchanged=${done.unchanged}`)
