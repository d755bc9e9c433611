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
  const child = execa("node", ["test/integration/environments/deployer.mjs", JSON.stringify(order)], {
    reject: false,
    all: true,
    timeout: 120_000,
  })
  return { child }
}

/** A deployer in a process of its own. @returns what it told */
export async function deployer(deploying: Deploying): Promise<string> {
  return (await (await start(deploying)).child).all
}

/** Starts one and kills it as soon as it has told what is awaited. */
export async function killedAt(deploying: Deploying, told: RegExp): Promise<string> {
  return killedWhen((await start(deploying)).child, told)
}

/** Of a process that execa has started, what killing it takes. */
interface Killable extends PromiseLike<{
  readonly exitCode?: number | undefined
  readonly signal?: string | undefined
}> {
  readonly all: NodeJS.ReadableStream
  kill(signal: "SIGKILL"): boolean
}

/** Kills a process as soon as it has told what is awaited. @returns what it told, and how it ended */
export async function killedWhen(child: Killable, told: RegExp): Promise<string> {
  let output = ""
  child.all.on("data", (chunk: Buffer) => {
    output += chunk.toString()
    if (told.test(output)) child.kill("SIGKILL")
  })
  const { exitCode, signal } = await child
  return `${output}${signal ?? `exit code ${exitCode}`}`
}
