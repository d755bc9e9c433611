import { execFileSync } from "node:child_process"
import { mkdir, writeFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import type { Case, Variant } from "../case.js"
import { timed } from "../process.js"

const command = resolve("dist/cli/main.js")
const counts = [1, 10, 100] as const

/** How long `gantry generate gitlab` takes: load the configuration, make the pipeline, write the YAML. */
export const generate: Case = {
  name: "generate",
  title: "gantry generate gitlab for a delivery of 1, 10 and 100 services; a process from start to end",
  rounds: 7,
  async prepare(dir) {
    await timed(["npm", "run", "--silent", "build"])
    for (const count of counts) await project(join(dir, String(count)), count)
  },
  variants: counts.map((count): Variant => ({
    name: services(count),
    run: async (dir) => {
      const { ms, cpu, stdout } = await timed([
        process.execPath,
        command,
        "-C",
        join(dir, String(count)),
        "generate",
        "gitlab",
        "--stdout",
      ])
      return { ms, "cpu ms": cpu, kB: stdout.length / 1000 }
    },
  })),
  conclude: (median) => [
    { name: "100 services", value: median(services(100), "ms") / 1000, unit: "s", goal: 1 },
    { name: "100 services : 1 service", value: median(services(100), "ms") / median(services(1), "ms"), unit: "×" },
    { name: "size of the file for 100", value: median(services(100), "kB"), unit: "kB", goal: 1000 },
  ],
}

function services(count: number): string {
  return count === 1 ? "1 service" : `${count} services`
}

const declaration = (name: string) => `name: ${name}
toolchain: { image: "node:22" }
build: {}
tests:
  unit: { run: npm test, junit: [a.xml] }
  integration: { run: npm test, junit: [a.xml] }
  acceptance: { run: npm test, junit: [a.xml] }
sonar: {}
health: {}
`

async function project(dir: string, count: number): Promise<void> {
  const folders = Array.from({ length: count }, (_, i) => `services/s${i}`)
  for (const folder of folders) {
    await mkdir(join(dir, folder), { recursive: true })
    await writeFile(join(dir, folder, "gantry.service.yaml"), declaration(folder.split("/")[1] ?? ""))
  }
  await writeFile(
    join(dir, "gantry.config.ts"),
    `export default { project: "bench", services: ${JSON.stringify(folders)} }\n`,
  )
  execFileSync("git", ["init", "-q"], { cwd: dir })
}
