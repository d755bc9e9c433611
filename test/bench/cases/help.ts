import { resolve } from "node:path"
import type { Case } from "../case.js"
import { timed } from "../process.js"

const command = resolve("dist/cli/main.js")

/** How long a person waits for `gantry --help`. */
export const help: Case = {
  name: "help",
  title: "gantry --help, a process from start to end",
  rounds: 9,
  async prepare() {
    await timed(["npm", "run", "--silent", "build"])
  },
  variants: [
    { name: "gantry --help", run: async () => sample(await timed([process.execPath, command, "--help"])) },
    { name: "node alone", run: async () => sample(await timed([process.execPath, "-e", "0"])) },
  ],
  conclude: (median) => [
    { name: "gantry --help", value: median("gantry --help", "ms"), unit: "ms", goal: 300 },
    { name: "gantry : node alone", value: median("gantry --help", "ms") / median("node alone", "ms"), unit: "×" },
  ],
}

const sample = ({ ms, cpu }: { ms: number; cpu: number }) => ({ ms, "cpu ms": cpu })
