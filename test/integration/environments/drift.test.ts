import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { compareEnvironments, describeEnvironment, placeOf, type ReleaseSpec } from "../../../environments/index.js"
import { balancerSocket } from "../../../environments/docker/balancer.js"
import { haproxyCommand } from "../../../environments/docker/haproxy-runtime.js"
import { openLab, until, type Lab } from "./lab.js"

const input = { replicas: 2, strategy: { kind: "rolling", minReadySeconds: 0, drainSeconds: 1 } } as const
let lab: Lab
let release: ReleaseSpec
let prefix: string

beforeAll(async () => {
  lab = await openLab({ test: input, prod: input })
  const image = await lab.image("one")
  release = lab.release(image, { database: "mariadb", config: "where: test\n" })
  prefix = `${lab.project.engine.stack}-shop-test`
  await lab.deploy(lab.release(image, { config: "where: prod\n", env: { VERSION: "v2" } }), { environment: "prod" })
})
afterAll(() => lab.close())
// Whatever a test did by hand, a deployment of the same release after a removal puts it right.
beforeEach(async () => {
  for (const { Id } of await lab.docker.listContainers({
    all: true,
    filters: { label: [`dev.gantry.environment=${prefix}`, "dev.gantry.role=instance"] },
  }))
    await lab.docker.getContainer(Id).remove({ force: true })
  await lab.deploy(release)
})

async function drift() {
  const detail = await describeEnvironment(lab.project, "test", ["web"])
  return [...detail.drift, ...detail.services.flatMap((s) => s.drift)].map(
    (d) => `${d.what.replace(prefix, "…")}: ${d.field}: ${d.expected} → ${d.found}`,
  )
}
const container = (name: string) => lab.docker.getContainer(`${prefix}-${name}`)

describe("what somebody changed by hand is seen", () => {
  it("nothing, when nobody did; and nothing is changed by looking", async () => {
    const ours = () =>
      lab.docker.listContainers({ all: true, filters: { label: [`dev.gantry.environment=${prefix}`] } })
    const before = await ours()
    expect(await drift()).toEqual([])
    const detail = await describeEnvironment(lab.project, "test")
    expect(detail.services.map((s) => `${s.service} ${s.state} ${s.strategy}`)).toEqual([
      "web running rolling",
      "other empty rolling",
    ])
    const after = await ours()
    expect(after.map((c) => [c.Id, c.State])).toEqual(before.map((c) => [c.Id, c.State]))
  })

  it("an instance that was stopped", async () => {
    await container("web-1").stop({ t: 1 })
    await until(async () => (await drift()).length > 0, 10)
    expect(await drift()).toEqual([expect.stringMatching(/^…-web-1: state: running → exited/)])
  })

  it("an instance that was removed", async () => {
    await container("web-2").remove({ force: true })
    expect(await drift()).toEqual([expect.stringMatching(/^instances of web: sha256:.*: 2 → 1$/)])
  })

  it("limits and the restart policy", async () => {
    await container("web-1").update({ RestartPolicy: { Name: "no" } })
    await container("web-2").update({
      Memory: 64 * 2 ** 20,
      MemorySwap: 64 * 2 ** 20,
      RestartPolicy: { Name: "always" },
    })
    expect(await drift()).toEqual([
      "…-web-1: restart policy: unless-stopped → no",
      "…-web-2: restart policy: unless-stopped → always",
      `…-web-2: memory: 0 → ${64 * 2 ** 20}`,
      `…-web-2: memory with swap: 0 → ${64 * 2 ** 20}`,
    ])
  }, 60_000)

  it("variables and the image of one that was made anew with the same labels; no password is shown", async () => {
    const info = await container("web-1").inspect()
    await container("web-1").remove({ force: true })
    const other = await lab.image("two")
    await lab.docker
      .createImage({ fromImage: other.reference })
      .then((stream) => new Promise((resolve) => lab.docker.modem.followProgress(stream, resolve)))
    const [network, { IPAMConfig } = { IPAMConfig: undefined }] = Object.entries(info.NetworkSettings.Networks)[0] ?? []
    const made = await lab.docker.createContainer({
      name: `${prefix}-web-1`,
      Image: other.reference,
      Labels: info.Config.Labels,
      Env: [...info.Config.Env.filter((e) => !/^(DB_PASSWORD|VERSION)=/.test(e)), "DB_PASSWORD=mine", "EXTRA=1"],
      HostConfig: { ...info.HostConfig },
      NetworkingConfig: { EndpointsConfig: { [network ?? ""]: { IPAMConfig } } },
    })
    await made.start()
    const found = await drift()
    expect(found).toEqual(
      expect.arrayContaining([
        "…-web-1: variable DB_PASSWORD: *** → ***",
        "…-web-1: variable EXTRA: none → 1",
        "…-web-1: variable VERSION: v1 → none",
        expect.stringMatching(/^…-web-1: image: .*@sha256:.* → .*@sha256:/),
      ]),
    )
    expect(found.join()).not.toContain("mine")
  })

  it("another network, and a stranger in ours", async () => {
    const prod = lab.docker.getNetwork(`${lab.project.engine.stack}-shop-prod`)
    await prod.connect({ Container: `${prefix}-web-1` })
    const stranger = await lab.docker.createContainer({
      name: `${prefix}-stranger`,
      Image: release.reference,
      Env: ["PORT=1234"],
      HostConfig: { NetworkMode: prefix },
    })
    try {
      await stranger.start()
      expect(await drift()).toEqual([
        `…-stranger: network: not in it → ${prefix}`,
        `…-web-1: networks: ${prefix} → ${lab.project.engine.stack}-shop-prod ${prefix}`,
      ])
    } finally {
      await stranger.remove({ force: true })
    }
  })

  it("a weight in the balancer", async () => {
    await haproxyCommand(balancerSocket(placeOf(lab.project, "test")), ["set server web/web-1 weight 7"])
    expect(await drift()).toEqual(["web-1: in the balancer: on, weight 100 → on, weight 7"])
    await haproxyCommand(balancerSocket(placeOf(lab.project, "test")), ["set server web/web-1 weight 100"])
  })

  it("the configuration on the host", async () => {
    const hash = release.configHash
    const file = join(placeOf(lab.project, "test").folder, "services/web/config", hash.slice(0, 16), "application.yml")
    const text = await readFile(file, "utf8")
    await writeFile(file, "where: prod\n")
    expect(await drift()).toEqual(
      ["1", "2"].map((n) => `…-web-${n}: configuration: ${hash.slice(0, 8)} → another text`),
    )
    await writeFile(file, text)
  })

  it("a balancer and a database that were stopped", async () => {
    for (const name of ["balancer", "web-db"]) await container(name).stop({ t: 5 })
    expect(await drift()).toEqual(
      expect.arrayContaining(["…-balancer: state: running → exited", "…-web-db: state: running → exited"]),
    )
    for (const name of ["balancer", "web-db"]) await container(name).start()
  })
})

it("two environments are compared by what runs in them", async () => {
  const found = await compareEnvironments(lab.project, "test", "prod")
  expect(found.map((d) => `${d.service} ${d.what}: ${d.a ?? "-"} | ${d.b ?? "-"}`)).toEqual([
    "web database: mariadb | -",
    "web variable VERSION: v1 | v2",
    "web config where: test | prod",
  ])
})
