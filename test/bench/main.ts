import { mkdir, writeFile } from "node:fs/promises"
import { cpus, loadavg } from "node:os"
import { join, resolve } from "node:path"
import type { Case } from "./case.js"
import { containerCase } from "./cases/containers.js"
import { delivery } from "./cases/delivery.js"
import { generate } from "./cases/generate.js"
import { help } from "./cases/help.js"
import { job } from "./cases/job.js"
import { kubernetes } from "./cases/kubernetes.js"
import { plan } from "./cases/plan.js"
import { rollouts } from "./cases/rollouts.js"
import { scheduler } from "./cases/scheduler.js"
import { measure, type Measured } from "./measure.js"
import { renderMeasured } from "./table.js"

/** `npm run bench [-- <case> …]`. A new case is a file in cases/ and a line here. */
const cases: readonly Case[] = [scheduler, plan, help, job, generate, containerCase, rollouts, delivery, kubernetes]

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !cases.some((c) => c.name === name))
if (unknown.length > 0) {
  process.stderr.write(
    `No benchmark is called ${unknown.join(", ")}; there are ${cases.map((c) => c.name).join(", ")}.\n`,
  )
  process.exit(2)
}
const out = resolve(".gantry/bench")
const machine = { node: process.version, cpus: cpus().length, model: cpus()[0]?.model ?? "", load: loadavg()[0] }
const measured: Measured[] = []
for (const c of cases.filter((one) => wanted.length === 0 || wanted.includes(one.name))) {
  const result = await measure(c, (text) => process.stderr.write(`${text}\n`))
  measured.push(result)
  process.stdout.write(`\n${renderMeasured(result)}\n`)
}
await mkdir(out, { recursive: true })
const file = join(out, `${new Date().toISOString().replace(/[:.]/g, "-")}.json`)
await writeFile(file, JSON.stringify({ at: new Date().toISOString(), machine, cases: measured }, null, 2) + "\n")
process.stderr.write(
  `${machine.cpus} × ${machine.model}, Node ${machine.node}, load ${machine.load?.toFixed(1)} at the start\nFigures: ${file}\n`,
)
