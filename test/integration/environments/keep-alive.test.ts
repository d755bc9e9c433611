import { beforeAll, expect, it } from "vitest"
import { engineConfig } from "../../../engine/config.js"
import { engineContext } from "../../../engine/context.js"
import { localImage } from "../../../engine/image/local.js"
import { keepAlive } from "../../../environments/docker/keep-alive.js"

const engine = engineContext(engineConfig.parse({}))
const { docker } = engine
let image: string
beforeAll(async () => {
  image = (await localImage(engine, "docker.io/library/node:22-trixie-slim")).name
})

async function started() {
  const container = await docker.createContainer({ Image: image, Cmd: ["sleep", "600"] })
  await container.start()
  return container
}

it("has one that runs started again, and minds none that is gone", async () => {
  const container = await started()
  try {
    await keepAlive(docker, container.id)
    const { HostConfig } = await container.inspect()
    expect(HostConfig.RestartPolicy?.Name).toBe("unless-stopped")
  } finally {
    await container.remove({ force: true })
  }
  await keepAlive(docker, container.id)
})

// Docker refuses about every third of these.
it("minds none that dies at any moment around it", async () => {
  for (let moment = 0; moment < 24; moment++) {
    const container = await started()
    try {
      const killed = container.kill()
      await new Promise((resolve) => setTimeout(resolve, (moment % 8) * 5))
      await keepAlive(docker, container.id)
      await killed
      await container.wait()
      expect((await container.inspect()).State).toMatchObject({ Running: false, ExitCode: 137 })
    } finally {
      await container.remove({ force: true })
    }
  }
})
