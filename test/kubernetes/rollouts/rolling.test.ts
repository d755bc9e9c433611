import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { load } from "../../integration/environments/load.js"
import { until } from "../../integration/environments/lab.js"
import { openRig, type Rig } from "../rig.js"

let rig: Rig
let v1: { reference: string; digest: string }
let v2: { reference: string; digest: string }
beforeAll(async () => {
  rig = await openRig({
    replicas: 2,
    strategy: { kind: "rolling", minReadySeconds: 1, drainSeconds: 5, graceSeconds: 5 },
  })
  v1 = await rig.image("one")
  v2 = await rig.image("two")
})
afterAll(() => rig.close())

const text = async (path = "") => (await fetch(`${(await rig.target()).url}${path}`)).text()
const failure = (work: Promise<unknown>) => rig.failure(work)
const users = async () => load((await rig.target()).url, { connections: 12, most: 100_000, keepAlive: false })

describe("rolling by a Deployment", () => {
  it("deploys to an empty namespace, and does nothing when the same release comes again", async () => {
    const first = await rig.deploy(rig.release(v1, { config: "greeting: hi\n" }))
    expect(first).toMatchObject({ unchanged: false, replicas: 2, previous: undefined })
    expect(await text()).toMatch(/^v1 web-blue-/)
    const info = JSON.parse(await text("/info")) as { env: Record<string, string>; config: string; uid: number }
    expect(info.config).toBe("greeting: hi\n")
    expect(info.env).toMatchObject({ GANTRY_ENVIRONMENT: "test", GANTRY_COMMIT: "c0ffee", PORT: "8080" })
    expect(info.uid).toBe(10001)
    const before = (await (await rig.target()).describe()).map((i) => i.id)
    const again = await rig.deploy(rig.release(v1, { config: "greeting: hi\n", commit: "another" }))
    expect(again.unchanged).toBe(true)
    expect((await (await rig.target()).describe()).map((i) => i.id)).toEqual(before)
  })

  it("rolls forward and back without a failed request", async () => {
    await rig.deploy(rig.release(v1))
    const traffic = await users()
    await until(() => traffic.count() > 200, 60)
    const started = performance.now()
    const forward = await rig.deploy(rig.release(v2, { env: { VERSION: "v2" } }))
    const seconds = (performance.now() - started) / 1000
    expect(forward.previous?.digest).toBe(v1.digest)
    const back = await rig.rollBack()
    expect(back.release.digest).toBe(v1.digest)
    await until(() => traffic.count() >= 10_000, 120)
    const result = await traffic.stop()
    console.log(
      `rolled 2 replicas in ${seconds.toFixed(1)} s under load; ${result.total} requests`,
      rig.lines.slice(-12),
    )
    expect(result.failures).toEqual([])
    expect(result.versions["v2"]).toBeGreaterThan(0)
  })

  it("keeps the old version when the new one never gets ready, with its log and without a failed request", async () => {
    await rig.deploy(rig.release(v1))
    const traffic = await users()
    const bad = rig.release(v2, { env: { VERSION: "v2", NEVER_READY: "1" }, startupSeconds: 6 })
    const error = await failure(rig.deploy(bad))
    const result = await traffic.stop()
    expect(error).toMatchObject({ code: "DEPLOY-NOT-READY", kind: "failed" })
    expect(error.reason).toMatch(/starting v2[^]*serves again/)
    expect(result.failures).toEqual([])
    expect(Object.keys(result.versions)).toEqual(["v1"])
    expect([...rig.logs.values()].some((log) => log.includes("starting v2"))).toBe(true)
  })

  it("says exit code and last lines of an instance that dies while it starts", async () => {
    await rig.deploy(rig.release(v1))
    const bad = rig.release(v1, { env: { VERSION: "v3", EXIT_AFTER_MS: "300", NEVER_READY: "1" } })
    const error = await failure(rig.deploy(bad))
    expect(error.code).toBe("DEPLOY-DIED")
    expect(error.reason).toMatch(/exit code 7[^]*no such table/)
    expect(await text()).toMatch(/^v1/)
  })

  it("says that an instance ran out of memory", async () => {
    const bad = rig.release(v1, { env: { VERSION: "v4", EAT_MEMORY: "1" }, startupSeconds: 60 })
    const error = await failure(rig.deploy(bad))
    expect(error.code).toBe("DEPLOY-OUT-OF-MEMORY")
    expect(await text()).toMatch(/^v1/)
  })
})

describe("what the place cannot do ends the wait at once, and nothing is half done", () => {
  it("an image that cannot be pulled", async () => {
    await rig.deploy(rig.release(v1))
    const digest = `sha256:${"0".repeat(64)}`
    const missing = rig.release({ reference: v1.reference.replace(/@.*/, `@${digest}`), digest })
    const started = performance.now()
    const error = await failure(rig.deploy(missing))
    expect(error).toMatchObject({ code: "DEPLOY-CANNOT-RUN", kind: "errored" })
    expect(error.reason).toMatch(/not found[^]*\[event\] \w+: [^]*serves again/)
    expect(performance.now() - started).toBeLessThan(60_000)
    expect(await text()).toMatch(/^v1/)
  })
})

// Last: what they bring drains for a while.
describe("what passes is no end", () => {
  it("is not kept waiting by the record of a pod that the cluster gave up", async () => {
    await rig.deploy(rig.release(v1))
    const kubectl = (args: readonly string[], input?: string) =>
      rig.lab.kubectl(["-n", rig.namespace, ...args], input === undefined ? {} : { input })
    const made = JSON.parse(await kubectl(["get", "pods", "-l", "app.kubernetes.io/name=web", "-o", "json"])) as {
      readonly items: readonly {
        metadata: { labels: Record<string, string> }
        spec: object
      }[]
    }
    const [pod] = made.items
    // No scheduler takes it up, so that nobody writes its status but who gives it up.
    const spec = { ...pod?.spec, nodeName: undefined, schedulerName: "nobody" }
    const record = { apiVersion: "v1", kind: "Pod", metadata: { name: "given-up" }, spec }
    await kubectl(["create", "-f", "-"], JSON.stringify(record))
    const status = JSON.stringify({ status: { phase: "Failed", reason: "Evicted" } })
    await kubectl(["patch", "pod", "given-up", "--subresource=status", "-p", status])
    // Only now is it one of the ReplicaSet's, which would have removed it before as one too many.
    const labels = Object.entries(pod?.metadata.labels ?? {}).map(([name, value]) => `${name}=${value}`)
    await kubectl(["label", "pod", "given-up", ...labels])
    const done = await rig.deploy(rig.release(v2, { env: { VERSION: "v5" } }))
    expect(done.unchanged).toBe(false)
    expect(await kubectl(["get", "pod", "given-up", "-o", "jsonpath={.status.phase}"])).toBe("Failed")
    expect((await (await rig.target()).describe()).map((i) => i.healthy)).toEqual([true, true])
    await kubectl(["delete", "pod", "given-up"])
  })

  it("waits for the room that the instance before holds until it has drained", async () => {
    const input = {
      replicas: 1,
      strategy: { kind: "rolling", maxSurge: 0, maxUnavailable: 1, drainSeconds: 8, graceSeconds: 3 } as const,
    }
    const lean = (of: typeof v1, version: string) => rig.release(of, { service: "lean", env: { VERSION: version } })
    await rig.deploy(lean(v1, "v1"), { input })
    const count = (await rig.lab.kubectl(["-n", rig.namespace, "get", "pods", "-o", "name"])).trim().split("\n").length
    await rig.lab.kubectl(["-n", rig.namespace, "create", "quota", "full", `--hard=pods=${count}`])
    try {
      expect((await rig.deploy(lean(v2, "v2"), { input })).release.digest).toBe(v2.digest)
      expect((await (await rig.target("lean")).describe()).map((i) => i.release.digest)).toEqual([v2.digest])
    } finally {
      await rig.lab.kubectl(["-n", rig.namespace, "delete", "quota", "full"])
    }
  })
})
