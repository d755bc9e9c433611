import { mkdir, rm, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import type { Case, Variant } from "../case.js"
import { earlier, type Kind } from "../graph.js"
import { program, timed } from "../process.js"

const count = 1000
const wireitBin = join(dirname(createRequire(import.meta.url).resolve("wireit/package.json")), "bin", "wireit.js")

/** A package whose scripts are the same graph, run by wireit. */
async function wireitPackage(dir: string, steps: number, command: string | undefined): Promise<void> {
  await mkdir(dir, { recursive: true })
  const ids = Array.from({ length: steps }, (_, i) => `step-${i}`)
  const manifest = {
    name: "noop",
    version: "1.0.0",
    scripts: Object.fromEntries([...ids, "all"].map((id) => [id, "wireit"])),
    wireit: {
      ...Object.fromEntries(
        ids.map((id, i) => {
          const dependencies = earlier(i).map((n) => `step-${n}`)
          // wireit wants a script to have a command or dependencies.
          return [id, { ...(command === undefined && i > 0 ? {} : { command: "true" }), dependencies }]
        }),
      ),
      all: { dependencies: ids.slice(-10) },
    },
  }
  await writeFile(join(dir, "package.json"), JSON.stringify(manifest))
}

/** wireit as `npm run all` starts it, without npm's own time. */
function wireit(name: string, folder: string): Variant {
  return {
    name,
    async run(dir) {
      const cwd = join(dir, folder)
      await rm(join(cwd, ".wireit"), { recursive: true, force: true })
      const env = {
        npm_lifecycle_event: "all",
        npm_package_json: join(cwd, "package.json"),
        npm_config_user_agent: "npm/10.0.0 node/v20",
        npm_execpath: "npm-cli.js",
        WIREIT_PARALLEL: "4",
        WIREIT_CACHE: "none",
        WIREIT_LOGGER: "quiet",
      }
      const { ms, cpu } = await timed([process.execPath, wireitBin], { cwd, env })
      return { ms, "cpu ms": cpu }
    },
  }
}

function gantry(name: string, steps: number, kind: Kind, keep = false): Variant {
  return {
    name,
    async run(dir) {
      const project = join(dir, `gantry-${kind}${keep ? "-kept" : ""}-${steps}`)
      if (!keep) await rm(project, { recursive: true, force: true })
      return program("schedule", project, String(steps), kind)
    },
  }
}

/** Overhead of the scheduler: steps that do nothing, with everything that a run records. */
export const scheduler: Case = {
  name: "scheduler",
  title: `Scheduler: ${count} steps that do nothing, each behind three earlier ones; a process from start to end`,
  rounds: 5,
  async prepare(dir) {
    await wireitPackage(join(dir, "wireit-bare"), count, undefined)
    await wireitPackage(join(dir, "wireit-true"), count, "true")
    await wireitPackage(join(dir, "wireit-one"), 1, "true")
  },
  variants: [
    gantry("gantry, durable records", count, "plain"),
    gantry("gantry, cache filled", count, "cached"),
    gantry("gantry, from the cache", count, "cached", true),
    gantry("gantry, every step an effect", count, "effect"),
    gantry("gantry, one step", 1, "plain"),
    wireit("wireit, without commands", "wireit-bare"),
    wireit("wireit, `true` as command", "wireit-true"),
    wireit("wireit, one step", "wireit-one"),
  ],
  conclude(median) {
    const step = (variant: string, one: string) => (median(variant, "ms") - median(one, "ms")) / (count - 1)
    const ours = (variant: string) => step(variant, "gantry, one step")
    const theirs = (variant: string) => step(variant, "wireit, one step")
    const plain = ours("gantry, durable records")
    return [
      { name: "gantry, each step", value: plain, unit: "ms", goal: 1 },
      { name: "gantry, each step, cache filled", value: ours("gantry, cache filled"), unit: "ms", goal: 1 },
      { name: "gantry, each step, from the cache", value: ours("gantry, from the cache"), unit: "ms", goal: 1 },
      { name: "gantry, each effect (one sync before each)", value: ours("gantry, every step an effect"), unit: "ms" },
      { name: "wireit, each step without command", value: theirs("wireit, without commands"), unit: "ms" },
      { name: "wireit, each step with `true`", value: theirs("wireit, `true` as command"), unit: "ms" },
      { name: "gantry : wireit without commands", value: plain / theirs("wireit, without commands"), unit: "×" },
      { name: "gantry : wireit with `true`", value: plain / theirs("wireit, `true` as command"), unit: "×", goal: 1 },
      { name: "gantry, most memory", value: median("gantry, durable records", "MB"), unit: "MB" },
    ]
  },
}
