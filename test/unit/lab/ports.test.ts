import { createServer, type Server } from "node:net"
import { expect, test } from "vitest"
import { allPorts, freeBlock, inRange, nextBlock, portsOf } from "../../lab/kubernetes/ports.js"

test("a block has every port once, within itself", () => {
  const ports = allPorts(portsOf(30_080))
  expect(new Set(ports).size).toBe(ports.length)
  expect(Math.min(...ports)).toBe(30_080)
  expect(Math.max(...ports)).toBeLessThan(nextBlock(30_080))
  expect(inRange(portsOf(30_080).nodePorts)).toHaveLength(48)
  expect(inRange(portsOf(30_080).gateway)).toHaveLength(24)
})

test("a block in which somebody listens is passed over", async () => {
  const first = await freeBlock()
  const server = await listen(portsOf(first).nodePorts.last)
  try {
    expect(await freeBlock(first)).toBeGreaterThan(first)
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
})

test("that no block is free says where was looked", async () => {
  await expect(freeBlock(32_700)).rejects.toMatchObject({ code: "LAB-PORTS", kind: "errored" })
})

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(port, "127.0.0.1", () => resolve(server))
  })
}
