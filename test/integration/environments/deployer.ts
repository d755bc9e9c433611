/** A deployer as a process of its own, so that a test can kill it: `node deployer.mjs <json>`. Prints what it tells. */
import { engineContext } from "../../../engine/context.js"
import {
  deployRelease,
  dockerTarget,
  environment,
  placeOf,
  type EnvironmentInput,
} from "../../../environments/index.js"
import type { Project } from "../../../environments/places.js"
import type { ReleaseSpec } from "../../../environments/release.js"

interface Order {
  readonly project: Project
  readonly name: string
  readonly input: EnvironmentInput
  readonly release: ReleaseSpec
  readonly images: Readonly<Record<string, string>>
}

const order = JSON.parse(process.argv[2] ?? "") as Order
const tell = (line: string): void => void process.stdout.write(`${line}\n`)
const env = environment(order.name, order.input)
const target = await dockerTarget({
  engine: engineContext(order.project.engine),
  project: order.project,
  environment: env,
  service: order.release.service,
  image: (reference) => Promise.resolve(order.images[reference] ?? reference),
  tell,
})
const done = await deployRelease({
  target,
  place: placeOf(order.project, env.name),
  environment: env,
  release: order.release,
  signal: new AbortController().signal,
  tell,
  keepLog: () => Promise.resolve(),
})
tell(`deployed unchanged=${done.unchanged}`)
