import { execa } from "execa"
import type { EnvironmentInput } from "../../../environments/environment.js"
import type { ReleaseSpec } from "../../../environments/release.js"
import type { Lab } from "./lab.js"

export interface Deploying {
  readonly lab: Lab
  readonly environment: string
  readonly input: EnvironmentInput
  readonly release: ReleaseSpec
}

async function start({ lab, environment, input, release }: Deploying) {
  const order = { project: lab.project, name: environment, input, release, images: await lab.images() }
  const child = execa(
    "node",
    ["--import", "jiti/register", "test/integration/environments/deployer.ts", JSON.stringify(order)],
    { reject: false, all: true, timeout: 120_000 },
  )
  return { child }
}

/** A deployer in a process of its own. @returns what it told */
export async function deployer(deploying: Deploying): Promise<string> {
  return (await (await start(deploying)).child).all
}

/** Starts one and kills it as soon as it has told what is awaited. */
export async function killedAt(deploying: Deploying, told: RegExp): Promise<string> {
  const { child } = await start(deploying)
  let output = ""
  child.all.on("data", (chunk: Buffer) => {
    output += chunk.toString()
    if (told.test(output)) child.kill("SIGKILL")
  })
  await child
  return output
}
