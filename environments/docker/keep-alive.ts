import { setTimeout as sleep } from "node:timers/promises"
import type Docker from "dockerode"
import { unlessMissing } from "./scene.js"

/** How long Docker may take to hear that a container has ended. Milliseconds. */
const patienceMs = 5000

/**
 * From now on Docker starts it again when it dies, and after the host has. One that dies just then is no error: Docker refuses
 * to change it (500, "cannot update a stopped container" or whatever runc says), a moment before it knows itself that it has
 * ended. Whoever looks at it next finds it dead.
 * @throws what Docker says of one that runs and cannot be changed
 */
export async function keepAlive(docker: Docker, id: string): Promise<void> {
  const container = docker.getContainer(id)
  const deadline = performance.now() + patienceMs
  for (;;) {
    try {
      return void (await container.update({ RestartPolicy: { Name: "unless-stopped" } }))
    } catch (error) {
      const info = await unlessMissing(container.inspect())
      if (info?.State.Running !== true) return
      if (performance.now() > deadline) throw error
      await sleep(50)
    }
  }
}
