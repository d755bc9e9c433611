import { createServer } from "node:net"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { untilAnswers } from "../../../../environments/docker/balancer-container.js"
import type { Scene } from "../../../../environments/docker/scene.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gantry-balancer-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** A scene whose Docker answers each order to start the balancer by what is given, the last one again and again. */
function sceneOf(starts: readonly (() => Promise<void>)[]) {
  let orders = 0
  const start = () => (starts[Math.min(orders++, starts.length - 1)] as () => Promise<void>)()
  const scene = {
    engine: { docker: { getContainer: () => ({ start }) } },
    place: { prefix: "shop-test" },
    environment: { name: "test" },
  } as unknown as Scene
  return { scene, orders: () => orders }
}
const refused = (statusCode: number) => () => Promise.reject(Object.assign(new Error("docker says no"), { statusCode }))

it("orders a balancer to start again that Docker took for running when it was killed", async () => {
  const socket = join(folder, "admin.sock")
  const haproxy = createServer((connection) => connection.resume().end("Name: HAProxy\n"))
  const runs = () => new Promise<void>((resolve) => (haproxy.listening ? resolve() : haproxy.listen(socket, resolve)))
  const { scene, orders } = sceneOf([refused(304), refused(304), runs])
  await untilAnswers(scene, socket)
  expect(orders()).toBe(3)
  await new Promise((resolve) => haproxy.close(resolve))
})

it("says at once what Docker refuses for good", async () => {
  const { scene, orders } = sceneOf([refused(500)])
  await expect(untilAnswers(scene, join(folder, "none.sock"))).rejects.toThrow("docker says no")
  expect(orders()).toBe(1)
})
