import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { releaseKey } from "../../../../environments/release.js"
import type { Judgement } from "../../../../environments/analysis/verdict.js"
import { environment, type EnvironmentInput } from "../../../../environments/environment.js"
import { tidy } from "../../../../environments/deployment/tidy.js"
import { readKept } from "../../../../environments/strategies/state.js"
import { a, b, c, failure, openWorld, survives, type World } from "./world.js"

const strategy = {
  kind: "blue-green" as const,
  checks: [{ path: "/hello", contains: "world" }],
  checkTimes: 2,
  minReadySeconds: 0,
  keepSeconds: 600,
  pauseSeconds: 0,
  analysis: { intervalSeconds: 0.01, windowSeconds: 0.01 },
}
const settings: EnvironmentInput = { replicas: 2, strategy }

let preview: Server
let body = "hello world"
const asked: string[] = []
let world: World
beforeAll(async () => {
  preview = createServer((request, response) => {
    asked.push(request.url ?? "")
    response.end(body)
  })
  await new Promise<void>((resolve) => preview.listen(0, "127.0.0.1", resolve))
})
afterAll(() => preview.close())

async function open(over: EnvironmentInput = settings, verdicts: readonly Judgement[] = ["pass"]): Promise<World> {
  const opened = await openWorld(over, verdicts)
  const previewUrl = `http://127.0.0.1:${(preview.address() as AddressInfo).port}`
  Object.assign(opened.target, { previewUrl })
  body = "hello world"
  asked.length = 0
  return opened
}
async function running(over: EnvironmentInput = settings, verdicts: readonly Judgement[] = ["pass"]) {
  world = await open(over, verdicts)
  await world.deploy(a)
  world.moves.length = 0
  world.least()
}
describe("blue-green", () => {
  it("checks green on its preview address at full size, switches in one go, and keeps blue", async () => {
    await running()
    const done = await world.deploy(b)
    expect(done).toMatchObject({ unchanged: false, previous: { digest: "sha256:a" } })
    expect(world.state()).toBe("a:0 a:0 b:100 b:100")
    expect(world.least()).toBe(2)
    expect(asked).toEqual(["/", "/", "/", "/hello", "/hello"])
    expect(world.moves.filter((m) => !m.startsWith("note"))).toEqual([
      "start 2 b",
      "preview b-3 b-4",
      "weights b-3:100 b-4:100 a-1:0 a-2:0",
      "preview nothing",
    ])
    expect(await readKept(world.target.notes)).toMatchObject({ key: releaseKey(a) })
    // Blue that is kept is no reason to deploy again.
    expect((await world.deploy(b)).unchanged).toBe(true)
  })

  it("switches back to blue without starting anything", async () => {
    await running()
    await world.deploy(b)
    world.moves.length = 0
    await world.deploy(a)
    expect(world.state()).toBe("a:100 a:100 b:0 b:0")
    expect(world.moves.filter((m) => m.startsWith("start"))).toEqual([])
  })

  it("removes the blue of before when the next green comes", async () => {
    await running()
    await world.deploy(b)
    await world.deploy(c)
    expect(world.state()).toBe("b:0 b:0 c:100 c:100")
  })

  it("is tidied up when its time is over, and not before", async () => {
    await running()
    const { target } = world
    const { signal } = new AbortController()
    const options = { target, environment: environment("prod", settings), signal, tell: () => undefined }
    const tidyAt = (seconds: number) =>
      tidy({ ...options, keepLog: () => Promise.resolve() }, new Date(Date.now() + seconds * 1000))
    expect(await tidyAt(0)).toBe("none")
    await world.deploy(b)
    expect(await tidyAt(590)).toBe("kept")
    expect(world.state()).toBe("a:0 a:0 b:100 b:100")
    expect(await tidyAt(601)).toBe("removed")
    expect(world.state()).toBe("b:100 b:100")
    expect(await tidyAt(601)).toBe("none")
  })

  it("removes blue at once where it shall not be kept", async () => {
    await running({ ...settings, strategy: { ...strategy, keepSeconds: 0 } })
    await world.deploy(b)
    expect(world.state()).toBe("b:100 b:100")
  })

  it("lets no user see a green that fails a check", async () => {
    await running()
    const weights = () => world.moves.filter((m) => /weights.*b-\d:[1-9]/.test(m))
    body = "hello moon"
    const error = await failure(world.deploy(b))
    expect(error.code).toBe("ROLLOUT-PREVIEW")
    expect(error.reason).toMatch(/GET \/hello: the body does not hold "world"/)
    expect(weights()).toEqual([])
    expect(world.state()).toBe("a:100 a:100")
    expect((await failure(world.deploy(b))).code).toBe("ROLLOUT-REFUSED")
  })

  it("switches back when green turns bad while it is watched", async () => {
    await running({ ...settings, strategy: { ...strategy, watchSeconds: 0.1 } }, ["pass", "fail"])
    const error = await failure(world.deploy(b))
    expect(error.code).toBe("ROLLOUT-UNFIT")
    expect(world.moves.find((m) => /weights a-1:100 a-2:100 b-3:0 b-4:0/.test(m))).toBeDefined()
    expect(world.state()).toBe("a:100 a:100")
    expect(world.least()).toBe(2)
  })

  it("is carried on by another process, wherever it was killed", async () => {
    world = await open()
    const ends = (w: World) => expect(w.state()).toBe("a:0 a:0 b:100 b:100")
    const orders = await survives(() => open(), ends, { least: 2 })
    expect(orders).toBeGreaterThan(8)
  })

  it("finishes its way back in another process, wherever it was killed", async () => {
    world = await open()
    const watched: EnvironmentInput = { ...settings, strategy: { ...strategy, watchSeconds: 0.01 } }
    const ends = (w: World) => expect(w.state()).toBe("a:100 a:100")
    await survives(() => open(watched, ["fail"]), ends, { least: 2, mayFail: /taken back/ })
  })
})
