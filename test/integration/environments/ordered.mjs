// What deployer.mjs and migrator.mjs are told as `node <file> <json>`, and what both need for it.
// Of the built package: translating the sources in each of these processes took longer than what they do.
import { engineContext } from "../../../build/engine/context.js"
import { dockerTarget, environment } from "../../../build/environments/index.js"

/** Project, name and input of the environment, release, a migration; images by their public references. */
export const order = JSON.parse(process.argv[2] ?? "")
export const tell = (line) => void process.stdout.write(`${line}\n`)
const env = environment(order.name, order.input)
export const options = {
  target: await dockerTarget({
    engine: engineContext(order.project.engine),
    project: order.project,
    environment: env,
    service: order.release.service,
    image: (reference) => Promise.resolve(order.images[reference] ?? reference),
    tell,
  }),
  environment: env,
  release: order.release,
  signal: new AbortController().signal,
  tell,
  keepLog: () => Promise.resolve(),
}
