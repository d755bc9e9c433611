import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { isFault } from "../../../core/errors.js"
import { load } from "./load.js"
import { openLab, until, type Lab } from "./lab.js"

let lab: Lab
let v1: { reference: string; digest: string }
let v2: { reference: string; digest: string }

beforeAll(async () => {
  const strategy = { kind: "rolling", minReadySeconds: 0.5, drainSeconds: 5 } as const
  lab = await openLab({ test: { replicas: 2, strategy } }, 150)
  v1 = await lab.image("one")
  v2 = await lab.image("two")
})
afterAll(() => lab.close())

const text = async (path = "") => (await fetch(`${(await lab.target("test")).url}${path}`)).text()

describe("rolling deployment on the Docker Engine", () => {
  it("deploys to an empty environment, and does nothing when the same release comes again", async () => {
    const first = await lab.deploy(lab.release(v1, { config: "greeting: hi\n" }))
    expect(first).toMatchObject({ unchanged: false, replicas: 2, previous: undefined })
    expect(await text()).toMatch(/^v1 web-[12]$/)
    const info = JSON.parse(await text("/info")) as { env: Record<string, string>; config: string; uid: number }
    expect(info.config).toBe("greeting: hi\n")
    expect(info.env).toMatchObject({ GANTRY_ENVIRONMENT: "test", GANTRY_COMMIT: "c0ffee", PORT: "8080" })
    expect(info.uid).toBe(10001)

    const before = (await (await lab.target("test")).describe()).map((i) => i.id)
    const again = await lab.deploy(lab.release(v1, { config: "greeting: hi\n", commit: "another" }))
    expect(again.unchanged).toBe(true)
    expect((await (await lab.target("test")).describe()).map((i) => i.id)).toEqual(before)
  })

  it("rolls forward and back without a failed request", async () => {
    await lab.deploy(lab.release(v1))
    const traffic = load((await lab.target("test")).url, { connections: 40, most: 300_000 })
    await until(() => traffic.count() > 200, 60)
    const started = performance.now()
    const forward = await lab.deploy(lab.release(v2, { env: { VERSION: "v2" } }))
    const seconds = (performance.now() - started) / 1000
    expect(forward.previous?.digest).toBe(v1.digest)
    const back = await lab.deploy(lab.release(v1))
    expect(back.previous?.digest).toBe(v2.digest)
    await until(() => traffic.count() >= 10_000, 120)
    const result = await traffic.stop()
    expect(result.failures).toEqual([])
    expect(result.versions["v2"]).toBeGreaterThan(0)
    expect(result.total).toBeGreaterThanOrEqual(10_000)
    console.log(
      `rolled 2 replicas in ${seconds.toFixed(1)} s under load; ${result.total} requests`,
      lab.lines.slice(-12),
    )
  })

  it("keeps the old version when the new one never gets ready, with its log and without a failed request", async () => {
    await lab.deploy(lab.release(v1))
    const traffic = load((await lab.target("test")).url)
    const bad = lab.release(v2, { env: { VERSION: "v2", NEVER_READY: "1" }, startupSeconds: 5 })
    const error: unknown = await lab.deploy(bad).catch((e: unknown) => e)
    const result = await traffic.stop()
    expect(isFault(error) && error.code).toBe("DEPLOY-NOT-READY")
    expect(isFault(error) && error.kind).toBe("failed")
    expect(isFault(error) && error.reason).toMatch(/503[^]*starting v2[^]*serves again/)
    expect(result.failures).toEqual([])
    expect(Object.keys(result.versions)).toEqual(["v1"])
    expect([...lab.logs.values()].some((log) => log.includes("starting v2"))).toBe(true)
    expect((await (await lab.target("test")).describe()).length).toBe(2)
  })

  it("says exit code and last lines of an instance that dies while it starts", async () => {
    await lab.deploy(lab.release(v1))
    const bad = lab.release(v1, { env: { VERSION: "v3", EXIT_AFTER_MS: "300", NEVER_READY: "1" } })
    const error: unknown = await lab.deploy(bad).catch((e: unknown) => e)
    expect(isFault(error) && error.code).toBe("DEPLOY-DIED")
    expect(isFault(error) && error.reason).toMatch(/exit code 7[^]*no such table/)
    expect(await text()).toMatch(/^v1/)
  })

  it("says that an instance ran out of memory", async () => {
    const bad = lab.release(v1, { env: { VERSION: "v4", EAT_MEMORY: "1" }, resources: { memoryMB: 160 } })
    const error: unknown = await lab.deploy(bad).catch((e: unknown) => e)
    expect(isFault(error) && error.code).toBe("DEPLOY-OUT-OF-MEMORY")
    expect(await text()).toMatch(/^v1/)
  })

  it("goes on serving while an instance dies, and it comes back", async () => {
    await lab.deploy(lab.release(v1))
    const target = await lab.target("test")
    // What an instance was working on when it died may have had an effect, unless it was a GET.
    const traffic = load(target.url, { methods: ["GET"] })
    await until(() => traffic.count() > 100, 60)
    expect((await fetch(`${target.url}/die`, { method: "POST" })).status).toBe(502)
    await until(async () => (await target.describe()).some((i) => i.restarts > 0), 60)
    await until(async () => (await target.describe()).every((i) => i.healthy), 60)
    expect((await traffic.stop()).failures).toEqual([])
  })
})
