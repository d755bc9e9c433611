import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { engineConfig } from "../../../engine/config.js"
import { engineContext } from "../../../engine/context.js"
import { resolveImage } from "../../../engine/index.js"
import { daggerCli } from "../../../engine/session/cli.js"
import { daggerEngine } from "../../../engine/stack/engine.js"
import { ensureComponents } from "../../../engine/stack/ensure.js"
import type { Case, Variant } from "../case.js"
import { program } from "../process.js"
import { containers } from "../work.js"

const config = engineConfig.parse({})
let image = ""
let round = 0
/** New in each run: the engine has to do the work. */
const fresh = () => `${process.pid}-${Date.now()}-${round++}`

function bare(name: string, nonce: () => string): Variant {
  return { name, run: () => program("dagger", image, nonce()) }
}

function steps(name: string, nonce: () => string, cache: "cache" | "no-cache"): Variant {
  return {
    name,
    async run(dir) {
      const project = join(dir, name.replace(/\W+/g, "-"))
      await mkdir(project, { recursive: true })
      return program("steps", project, image, nonce(), cache)
    },
  }
}

/** The same containers, once as a program of the Dagger SDK and once as steps, with one engine. */
export const containerCase: Case = {
  name: "containers",
  title: `${containers} containers in two chains, as a program of the Dagger SDK and as steps; a process from start to end`,
  rounds: 5,
  async prepare() {
    const context = engineContext(config)
    await ensureComponents(context, [daggerEngine.id])
    // Both programs talk to the same engine through the same CLI.
    process.env["_EXPERIMENTAL_DAGGER_CLI_BIN"] = await daggerCli(context)
    process.env["_EXPERIMENTAL_DAGGER_RUNNER_HOST"] = daggerEngine.address(config)
    process.env["DO_NOT_TRACK"] = "1"
    image = (await resolveImage(config, "docker.io/library/debian:13-slim")).reference
  },
  variants: [
    bare("Dagger SDK", fresh),
    steps("gantry", fresh, "no-cache"),
    bare("Dagger SDK, the engine has it", () => "same"),
    steps("gantry, the engine has it", () => "same", "no-cache"),
    steps("gantry, Gantry has it", () => "same", "cache"),
  ],
  conclude: (median) => {
    const ratio = (ours: string, theirs: string) => median(ours, "ms") / median(theirs, "ms")
    return [
      { name: "gantry : Dagger SDK", value: ratio("gantry", "Dagger SDK"), unit: "×", goal: 1.05 },
      {
        name: "the same, answered by the engine's cache",
        value: ratio("gantry, the engine has it", "Dagger SDK, the engine has it"),
        unit: "×",
      },
      {
        name: "the same, answered by Gantry's cache",
        value: ratio("gantry, Gantry has it", "Dagger SDK, the engine has it"),
        unit: "×",
      },
    ]
  },
}
