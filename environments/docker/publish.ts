import { fault } from "../../core/errors.js"
import { removeContainer } from "../../engine/docker/run.js"
import { holderOf, isFree } from "../../engine/stack/ports.js"
import { forgetPort } from "../plots.js"
import { statusOf, type Scene } from "./scene.js"

/**
 * Starts a container that publishes ports on 127.0.0.1; harmless when it runs. Where somebody else has one of them by now,
 * the container goes, and so does the port, unless the configuration names it: the next run takes another.
 * @param what for people: "the load balancer of test"
 * @param ports inside, outside
 * @throws ENV-PORT-IN-USE
 */
export async function startPublished(
  scene: Scene,
  name: string,
  what: string,
  ports: readonly (readonly [number, number])[],
): Promise<void> {
  try {
    await scene.engine.docker.getContainer(name).start()
  } catch (error) {
    if (statusOf(error) === 304) return
    if (!/port is already allocated|address already in use/i.test((error as Error).message)) throw error
    const configured = new Set(Object.values(scene.environment.ports))
    for (const [, port] of ports) {
      if (await isFree(port)) continue
      const holder = await holderOf(scene.engine, port)
      await removeContainer(scene.engine.docker, name)
      if (!configured.has(port)) await forgetPort(scene.place, port)
      throw fault({
        code: "ENV-PORT-IN-USE",
        kind: "errored",
        message: `Port ${port} on 127.0.0.1, of ${what}, is in use`,
        reason: holder === undefined ? "Who holds it cannot be told; root sees more." : `${holder} listens there.`,
        hint: configured.has(port)
          ? `Stop that, or name another port: environments.${scene.environment.name}.ports in gantry.config.ts.`
          : "Run the same command again: another port is taken then.",
      })
    }
    throw error
  }
}
