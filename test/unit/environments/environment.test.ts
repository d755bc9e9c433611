import { mkdtemp } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { engineConfig } from "../../../engine/config.js"
import { fileNotes } from "../../../environments/docker/memory.js"
import { networkLayout } from "../../../environments/docker/network.js"
import { instanceEnvironment } from "../../../environments/docker/instances.js"
import { demultiplex } from "../../../environments/docker/logs.js"
import { environment, Environments } from "../../../environments/environment.js"
import { readHistory, recordRelease } from "../../../environments/history.js"
import { placeOf, serviceFolder } from "../../../environments/places.js"
import { plotsOf } from "../../../environments/plots.js"
import { releaseKey, releaseSpec, type ReleaseSpec } from "../../../environments/release.js"

const spec = (over: Partial<ReleaseSpec> = {}) =>
  releaseSpec({
    service: "web",
    reference: "r/web@sha256:1",
    digest: "sha256:1",
    commit: "c",
    config: "{}\n",
    env: {},
    port: 8080,
    readiness: "/ready",
    startupSeconds: 90,
    calls: [],
    resources: {},
    ...over,
  })
const place = async () =>
  placeOf({ project: "shop", engine: engineConfig.parse({ home: await mkdtemp(join(tmpdir(), "gantry-")) }) }, "test")

describe("an environment", () => {
  it("has good defaults, and PROD asks for an approval", () => {
    const all = Environments.parse(undefined)
    expect(Object.keys(all)).toEqual(["test", "uat", "prod"])
    expect(all["prod"]).toMatchObject({ replicas: 3, profile: "prod", approvals: { required: 1 } })
    expect(all["test"]).toMatchObject({ name: "test", strategy: { maxSurge: 1, maxUnavailable: 0 } })
  })
  it("refuses a strategy that can never replace an instance", () => {
    expect(() => environment("test", { strategy: { kind: "rolling", maxSurge: 0 } })).toThrow(/both 0/)
  })
  it.each(["Prod", "a_b", "x".repeat(21), ""])("is not named %j", (name) => {
    expect(() => environment(name)).toThrow()
  })
})

describe("the identity of a release", () => {
  it("is its bytes and its configuration, not its commit", () => {
    expect(releaseKey(spec({ commit: "another" }))).toBe(releaseKey(spec()))
    for (const over of [{ digest: "sha256:2" }, { config: "a: 1\n" }, { env: { A: "1" } }, { port: 1 }]) {
      expect(releaseKey(spec(over))).not.toBe(releaseKey(spec()))
    }
  })
})

describe("addresses in a network", () => {
  it("never overlap", () => {
    const net = networkLayout("n", "172.20.0.0/16")
    const all = [net.balancer]
    for (let service = 0; service < 20; service++) {
      all.push(net.database(service))
      for (let slot = 1; slot <= 60; slot++) all.push(net.instance(service, slot))
    }
    expect(new Set(all).size).toBe(all.length)
    expect(net.instance(3, 7)).toBe("172.20.1.7")
  })
  it("run out in a small network, and that is said", () => {
    expect(() => networkLayout("n", "10.0.0.0/24").instance(3, 1)).toThrow(/too few addresses/)
  })
})

describe("ports on loopback", () => {
  it("stay the same, differ by environment, and leave room for a new service", async () => {
    const test = await place()
    const first = await plotsOf(test, "test", ["catalog", "order"], {})
    expect(first.services).toEqual({ catalog: 0, order: 1 })
    expect(first.ports.length).toBeGreaterThan(2)
    const again = await plotsOf(test, "test", ["order", "catalog", "user"], {})
    expect(again.ports).toEqual(first.ports)
    expect(again.services["user"]).toBe(2)
    const prod = await plotsOf(test, "prod", ["catalog"], {})
    expect(prod.ports.some((port) => first.ports.includes(port))).toBe(false)
  })
  it("are taken from the configuration, but not twice", async () => {
    const test = await place()
    expect((await plotsOf(test, "test", ["catalog"], { catalog: 18_123 })).ports[0]).toBe(18_123)
    await expect(plotsOf(test, "prod", ["catalog"], { catalog: 18_123 })).rejects.toMatchObject({
      code: "ENV-PORT-TWICE",
    })
  })
  it("are not those on which somebody listens", async () => {
    const test = await place()
    const { ports } = await plotsOf(test, "test", ["catalog"], {})
    const server = createServer().listen({ port: ports[0], host: "127.0.0.1" })
    await new Promise((resolve) => server.once("listening", resolve))
    const engine = engineConfig.parse({ home: (await place()).projectFolder })
    const other = await plotsOf(placeOf({ project: "shop", engine }, "test"), "test", ["catalog"], {})
    expect(other.ports).not.toContain(ports[0])
    await new Promise((resolve) => server.close(resolve))
  })
})

describe("the history of releases", () => {
  it("counts generations, newest first, and the same release again is no new one", async () => {
    const test = fileNotes(serviceFolder(await place(), "web"))
    const at = new Date(0).toISOString()
    await recordRelease(test, { release: spec(), replicas: 2, at })
    await recordRelease(test, { release: spec(), replicas: 3, at })
    await recordRelease(test, { release: spec({ digest: "sha256:2" }), replicas: 3, at })
    const all = await readHistory(test)
    expect(all.map((e) => [e.generation, e.release.digest])).toEqual([
      [2, "sha256:2"],
      [1, "sha256:1"],
    ])
  })
})

describe("what an instance is given", () => {
  it("has address and credentials of the environment's own, whatever the service declares", () => {
    const env = instanceEnvironment(
      {
        environment: environment("uat"),
        plots: {
          services: { catalog: 0, "order-desk": 1 },
          ports: [1, 2],
          previews: [4, 5],
          metrics: 3,
          prometheus: 6,
        },
      },
      spec({ service: "order-desk", env: { MODE: "a", DB_HOST: "prod-db", PORT: "9" }, calls: ["catalog"] }),
      3,
      { name: "order_desk", user: "order_desk", password: "geheim", files: { password: "", root: "" } },
    )
    expect(env).toMatchObject({
      MODE: "a",
      PORT: "9",
      GANTRY_ENVIRONMENT: "uat",
      GANTRY_CONFIG: "/config/application.yml",
      SPRING_CONFIG_ADDITIONAL_LOCATION: "file:/config/",
      DB_HOST: "order-desk-db",
      DB_NAME: "order_desk",
      DB_PASSWORD: "geheim",
      CATALOG_URL: "http://balancer:8001",
      INSTANCE_ID: "order-desk-3",
    })
  })
})

describe("a container's log", () => {
  const chunk = (text: string, kind = 1) => {
    const head = Buffer.alloc(8)
    head[0] = kind
    head.writeUInt32BE(Buffer.byteLength(text), 4)
    return Buffer.concat([head, Buffer.from(text)])
  }
  it("is freed of Docker's headers", () => {
    expect(demultiplex(Buffer.concat([chunk("eins\n"), chunk("zwei 黑科\n", 2)]))).toBe("eins\nzwei 黑科\n")
  })
  it("of a terminal has none", () => {
    expect(demultiplex(Buffer.from("plain text\n"))).toBe("plain text\n")
  })
})
