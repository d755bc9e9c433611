import type Docker from "dockerode"
import { beforeAll, expect, it } from "vitest"
import { engineConfig } from "../../../engine/config.js"
import { engineContext } from "../../../engine/context.js"
import { localImage } from "../../../engine/image/local.js"
import { endOf } from "../../../environments/docker/end.js"

const engine = engineContext(engineConfig.parse({}))
const { docker } = engine
let image: string
beforeAll(async () => {
  image = (await localImage(engine, "docker.io/library/node:22-trixie-slim")).name
})

/** What Docker says of a container that ran this, once it has ended. */
async function ended(script: string, whileRunning?: (container: Docker.Container) => Promise<unknown>) {
  const bytes = 160 * 2 ** 20
  const container = await docker.createContainer({
    Image: image,
    Cmd: ["node", "-e", script],
    HostConfig: { Memory: bytes, MemorySwap: bytes },
  })
  try {
    await container.start()
    await whileRunning?.(container)
    await container.wait()
    const info = await container.inspect()
    return { info, end: await endOf(docker, info) }
  } finally {
    await container.remove({ force: true })
  }
}

it("knows want of memory by Docker's event where the flag has been lost", async () => {
  const { info, end } = await ended("const hog = []; for (;;) hog.push(Buffer.alloc(16e6, 1))")
  expect(end).toEqual({ code: 137, outOfMemory: true })
  // As Docker up to 20.10 leaves it when the word of the end came first.
  const lost = { ...info, State: { ...info.State, OOMKilled: false } }
  expect(await endOf(docker, lost)).toEqual({ code: 137, outOfMemory: true })
})

it("takes a kill by somebody for no want of memory", async () => {
  const { end } = await ended("setInterval(() => {}, 1e3)", (container) => container.kill())
  expect(end).toEqual({ code: 137, outOfMemory: false })
})
