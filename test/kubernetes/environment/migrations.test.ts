import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { EnvironmentInput } from "../../../environments/environment.js"
import { migrate, readMigrations, type MigrationSpec, type ReleaseSpec } from "../../../environments/index.js"
import { until } from "../../integration/environments/lab.js"
import { openRig, type Rig } from "../rig.js"

/** A cluster's no is told as that, never as the migration's: what has not begun is done next time, what was lost nobody knows. */
const input: EnvironmentInput = {
  replicas: 1,
  strategy: { kind: "rolling", minReadySeconds: 0, drainSeconds: 0, graceSeconds: 3, progressDeadlineSeconds: 300 },
}
let rig: Rig
let release: ReleaseSpec
/** Each test migrates something of its own. */
let number = 0
beforeAll(async () => {
  rig = await openRig(input)
  release = rig.release(await rig.image("one"))
})
afterAll(() => rig.close())

const kubectl = (...args: string[]) => rig.lab.kubectl(["-n", rig.namespace, ...args])
const newest = async () => (await readMigrations((await rig.target()).notes))[0]
async function brought(run: string, over: Partial<MigrationSpec> = {}, of = release) {
  const migration = { run, content: `content ${(number += 1)}`, timeoutSeconds: 60, compatible: true, ...over }
  const target = await rig.target()
  const logs = new Map<string, string>()
  let written = ""
  const go = () =>
    migrate({
      ...{ target, environment: rig.environment(input), release: of, migration },
      ...{ signal: new AbortController().signal, tell: (line: string) => void rig.lines.push(line) },
      output: (chunk: string) => (written += chunk),
      keepLog: (name: string, text: string) => Promise.resolve(void logs.set(name, text)),
    })
  return { go, logs, written: () => written }
}

describe("a migration that cannot begin", () => {
  it("for a quota: at once, with the numbers, and it is done when there is room", async () => {
    await kubectl("create", "quota", "tight", "--hard=pods=0")
    const { go } = await brought("echo done")
    try {
      expect(await rig.failure(go())).toMatchObject({ code: "K8S-QUOTA", kind: "errored" })
      expect((await newest())?.note).toMatch(/^It never began: .*exceeded quota/)
    } finally {
      await kubectl("delete", "quota", "tight")
    }
    expect(await go()).toMatchObject({ applied: true })
  })

  it("for its image: told as that, and a release that has one is migrated", async () => {
    const digest = `sha256:${"0".repeat(64)}`
    const reference = `${release.reference.split("@")[0]}@${digest}`
    const { go } = await brought("echo done", {}, { ...release, reference, digest })
    expect(await rig.failure(go())).toMatchObject({ code: "K8S-TASK", kind: "errored" })
    expect(await newest()).toMatchObject({ status: "failed" })
    expect(await (await brought("echo done")).go()).toMatchObject({ applied: true })
  })
})

it("one that takes too long is ended when its command has had its time, with what it wrote", async () => {
  const { go, logs } = await brought("echo begun; sleep 600", { timeoutSeconds: 5 })
  const started = performance.now()
  const error = await rig.failure(go())
  expect(error).toMatchObject({ code: "MIGRATION-TIMEOUT", kind: "failed" })
  // The Job itself would have given it 300 s more to begin.
  expect((performance.now() - started) / 1000).toBeLessThan(200)
  expect(logs.get("migration.log")).toContain("begun")
})

it("one whose pod is evicted while it runs has not failed: nobody knows how far it came", async () => {
  const { go, written } = await brought("trap 'exit 1' TERM; echo begun; while :; do sleep 1; done")
  const failed = rig.failure(go())
  await until(() => Promise.resolve(written().includes("begun")), 60)
  const label = "batch.kubernetes.io/job-name=web-migration"
  const name = await kubectl("get", "pods", "-l", label, "-o", "jsonpath={.items[0].metadata.name}")
  const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace: rig.namespace } }
  const path = `/api/v1/namespaces/${rig.namespace}/pods/${name}/eviction`
  await rig.lab.kubectl(["create", "--raw", path, "-f", "-"], { input: JSON.stringify(eviction) })
  expect(await failed).toMatchObject({ code: "MIGRATION-UNKNOWN", kind: "errored" })
  expect(await newest()).toMatchObject({ status: "started" })
})

describe("a database that is changed", () => {
  const small = { requests: { cpu: "10m", memory: "96Mi" }, limits: { cpu: "1", memory: "512Mi" } }
  const prepared = async (cpu: string) => {
    const resources = { ...small, requests: { ...small.requests, cpu }, limits: { ...small.limits, cpu: "64" } }
    const kubernetes = { defaults: { database: { storage: "1Gi", resources } } }
    const target = await rig.target("other", { ...input, kubernetes })
    const own = { ...release, service: "other", database: "mariadb" as const }
    await target.prepare(own, new AbortController().signal)
    const path = "jsonpath={.spec.containers[0].resources.requests.cpu} {.status.containerStatuses[0].ready}"
    return kubectl("get", "pod", "other-db-0", "-o", path)
  }
  it("is waited for until its new pod is ready", async () => {
    expect(await prepared("10m")).toBe("10m true")
    expect(await prepared("20m")).toBe("20m true")
  })
  it("and finds no room, is whole again once that is corrected", async () => {
    expect(await rig.failure(prepared("60"))).toMatchObject({ code: "ENV-DATABASE", kind: "errored" })
    expect(await prepared("10m")).toBe("10m true")
    expect(rig.lines.join("\n")).toMatch(/other-db-0 of the declaration before cannot run/)
  })
})
