/** A migration in a process of its own, so that a test can kill it: `node migrator.ts <json>`. Prints what it tells. */
import { engineContext } from "../../../engine/context.js"
import {
  dockerTarget,
  environment,
  migrate,
  placeOf,
  type EnvironmentInput,
  type MigrationSpec,
  type Project,
} from "../../../environments/index.js"
import type { ReleaseSpec } from "../../../environments/release.js"

interface Order {
  readonly project: Project
  readonly name: string
  readonly input: EnvironmentInput
  readonly release: ReleaseSpec
  readonly migration: MigrationSpec
  readonly images: Readonly<Record<string, string>>
}

const order = JSON.parse(process.argv[2] ?? "") as Order
const tell = (line: string): void => void process.stdout.write(`${line}\n`)
const env = environment(order.name, order.input)
const done = await migrate({
  target: await dockerTarget({
    engine: engineContext(order.project.engine),
    project: order.project,
    environment: env,
    service: order.release.service,
    image: (reference) => Promise.resolve(order.images[reference] ?? reference),
    tell,
  }),
  place: placeOf(order.project, env.name),
  environment: env,
  release: order.release,
  migration: order.migration,
  signal: new AbortController().signal,
  tell,
  output: tell,
  keepLog: () => Promise.resolve(),
})
tell(`migrated applied=${done.applied}`)
