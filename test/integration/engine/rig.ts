import { randomBytes } from "node:crypto"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer, type AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { onTestFinished } from "vitest"
import type { Progress } from "../../../core/progress.js"
import { engineConfig, stackDown, type EngineConfig, type EngineConfigInput } from "../../../engine/index.js"

/** A port of loopback that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A folder that is removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gantry-it-"))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A configuration whose stack is the test's own: name, ports, and, unless given, the home with its caches shared. */
export async function ownStack(input: EngineConfigInput = {}): Promise<EngineConfig> {
  return engineConfig.parse({
    stack: `engit-${randomBytes(3).toString("hex")}`,
    ports: { registry: await freePort(), sonarqube: await freePort() },
    ...input,
  })
}

/** Takes the stack down, volumes included, when the test has ended. */
export function takeDownAfterwards(config: EngineConfig): void {
  onTestFinished(() => stackDown(config, { volumes: true }))
}

/** Where the engine's progress goes that nobody reads. */
export function nowhere(): PassThrough {
  const stream = new PassThrough()
  stream.resume()
  return stream
}

/** Progress that remembers the titles and notes, for tests about what a person is told. */
export function recordingProgress(): { readonly progress: Progress; readonly lines: string[] } {
  const lines: string[] = []
  return {
    lines,
    progress: {
      task: (title) => {
        lines.push(title)
        return {
          update: (text) => lines.push(`${title}: ${text}`),
          log() {},
          done: (note) => lines.push(`${title}: done ${note ?? ""}`),
          fail: (error) => lines.push(`${title}: failed ${String(error)}`),
        }
      },
    },
  }
}
