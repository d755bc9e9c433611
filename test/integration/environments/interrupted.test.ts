import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { ReleaseSpec } from "../../../environments/release.js"
import { releaseKey } from "../../../environments/release.js"
import { deployer as deployerProcess, killedAt as killed } from "./deployer-process.js"
import { load } from "./load.js"
import { asked, openLab, until, type Lab } from "./lab.js"

const strategy = { kind: "rolling", minReadySeconds: 0.3, drainSeconds: 5 } as const
const input = { replicas: 2, strategy }
let lab: Lab
let one: ReleaseSpec
let two: ReleaseSpec

beforeAll(async () => {
  lab = await openLab({ test: input }, 60)
  const image = await lab.image("one")
  one = lab.release(image)
  two = lab.release(image, { env: { VERSION: "v2" } })
})
afterAll(() => lab.close())

const deploying = (release: ReleaseSpec) => ({ lab, environment: "test", input, release })
const deployer = (release: ReleaseSpec) => deployerProcess(deploying(release))
const killedAt = (release: ReleaseSpec, told: RegExp) => killed(deploying(release), told)

const state = async () =>
  (await (await lab.target("test")).describe()).map((i) => ({ key: i.key, serves: i.weight > 0 && i.healthy }))
const whole = (release: ReleaseSpec) => [
  { key: releaseKey(release), serves: true },
  { key: releaseKey(release), serves: true },
]

describe("a deployer that is killed", () => {
  it.each([
    ["after the first start", /started /],
    ["when the first has traffic", /gets traffic/],
    ["while the first old one leaves", /leaves the balancer/],
    ["when the first old one is gone", /stopped/],
  ])("%s: the same release carries on, without a failed request", async (_, told) => {
    await lab.deploy(one)
    const traffic = load((await lab.target("test")).url)
    const output = await killedAt(two, told)
    expect(output).toMatch(told)
    expect(output).not.toContain("deployed unchanged")
    expect(await state()).not.toEqual(whole(two))
    await lab.deploy(two)
    expect(await state()).toEqual(whole(two))
    expect((await traffic.stop()).failures).toEqual([])
  })

  it("leaves nothing behind when the release before comes again", async () => {
    await lab.deploy(one)
    await killedAt(two, /gets traffic/)
    const traffic = load((await lab.target("test")).url)
    await lab.deploy(one)
    expect(await state()).toEqual(whole(one))
    expect((await traffic.stop()).failures).toEqual([])
  })
})

describe("two deployers at once", () => {
  it("work one after the other, and the second finds its release there", async () => {
    await lab.deploy(one)
    const traffic = load((await lab.target("test")).url)
    const [a, b] = await Promise.all([deployer(two), deployer(two)])
    const outputs = [a, b]
    expect(outputs.filter((o) => o.includes("deployed unchanged=false"))).toHaveLength(1)
    expect(outputs.filter((o) => o.includes("deployed unchanged=true"))).toHaveLength(1)
    expect(outputs.filter((o) => /waits for another deployment of it: process \d+/.test(o))).toHaveLength(1)
    expect(await state()).toEqual(whole(two))
    expect((await traffic.stop()).failures).toEqual([])
  })

  it("with different releases end in one of them, whole", async () => {
    await Promise.all([deployer(one), deployer(two)])
    const now = await state()
    expect([whole(one), whole(two)]).toContainEqual(now)
  })
})

describe("the balancer", () => {
  it("goes on with the same instances after a restart", async () => {
    await lab.deploy(one)
    const target = await lab.target("test")
    const before = await target.describe()
    await lab.docker.getContainer(`${lab.project.engine.stack}-shop-test-balancer`).restart({ t: 1 })
    await until(async () => (await asked(target.url))?.status === 200, 20)
    await until(async () => (await target.describe()).every((i) => i.healthy), 20)
    expect((await target.describe()).map(({ id, weight }) => ({ id, weight }))).toEqual(
      before.map(({ id, weight }) => ({ id, weight })),
    )
    expect((await lab.deploy(one)).unchanged).toBe(true)
  })

  it("is started again by a deployment that finds it dead", async () => {
    await lab.docker.getContainer(`${lab.project.engine.stack}-shop-test-balancer`).kill()
    await lab.deploy(two)
    expect(await state()).toEqual(whole(two))
  })
})
