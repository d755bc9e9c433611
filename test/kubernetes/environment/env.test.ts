import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest"
import { envSettle, envShow } from "../../../cli/verbs/env.js"
import { rolloutVerb } from "../../../cli/verbs/rollout.js"
import { stop } from "../../../cli/verbs/stop.js"
import { envTidy } from "../../../cli/verbs/tidy.js"
import { unlock } from "../../../cli/verbs/unlock.js"
import type { EnvironmentInput } from "../../../environments/environment.js"
import {
  compareEnvironments,
  describeEnvironment,
  describeEnvironments,
  memoryOf,
  readHistory,
  readRollout,
  releaseKey,
  removeEnvironments,
  unfinishedRelease,
  type Drift,
  type EnvironmentDetail,
  type EnvironmentService,
  type ReleaseSpec,
} from "../../../environments/index.js"
import { recordMigration } from "../../../environments/migrations/journal.js"
import { readKept, writeKept } from "../../../environments/strategies/state.js"
import { until } from "../../integration/environments/lab.js"
import { makeProject } from "../../unit/cli/rig.js"
import { judged } from "../judged.js"
import { openRig, type Rig } from "../rig.js"

/** What `gantry env` and the verbs about a rollout see and do on a cluster: all of it is read from there. */
const pace = { minReadySeconds: 0, drainSeconds: 1, graceSeconds: 5 }
const rolling: EnvironmentInput = { replicas: 2, strategy: { kind: "rolling", ...pace } }
const canary: EnvironmentInput = {
  replicas: 2,
  strategy: {
    kind: "canary",
    steps: [{ percent: 50, seconds: 1 }],
    pauseSeconds: 0,
    analysis: { intervalSeconds: 1, windowSeconds: 2 },
    ...pace,
  },
}

let rig: Rig
let one: ReleaseSpec
let two: ReleaseSpec
let elsewhere: string
beforeAll(async () => {
  rig = await openRig(rolling)
  one = rig.release(await rig.image("one"), { config: "where: here\n" })
  two = rig.release(await rig.image("two"), { env: { VERSION: "v2" } })
  elsewhere = await mkdtemp(join(tmpdir(), "gantry-elsewhere-"))
})
afterAll(async () => {
  await rig.close()
  await rm(elsewhere, { recursive: true, force: true })
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

const kubectl = (...args: string[]) => rig.lab.kubectl(["-n", rig.namespace, ...args])
const detail = (): Promise<EnvironmentDetail> => describeEnvironment(rig.project, "test", ["web"])
const drift = async () => {
  const { services } = await detail()
  return services.flatMap((s) => s.drift).map((d) => line(d))
}
const line = (d: Drift) =>
  `${d.what}: ${d.field}: ${d.expected} → ${d.found}${d.by === undefined ? "" : `, set by ${d.by}`}`
/** The same project on a machine that has never seen it. */
const machine = (): Rig["project"] => ({ ...rig.project, engine: { ...rig.project.engine, home: elsewhere } })
const fresh = async () => {
  await removeEnvironments(rig.project)
  await rig.deploy(one)
}

describe("what runs", () => {
  beforeAll(fresh)

  it("is told with where it is, how it is reached, and without drift; looking changes nothing", async () => {
    const versions = () =>
      kubectl("get", "deployments,services,pdb,networkpolicies", "-o", "jsonpath={.items[*].metadata.resourceVersion}")
    const before = await versions()
    const { services, reachable, trouble } = await detail()
    expect({ reachable, trouble }).toEqual({ reachable: true, trouble: undefined })
    const [web] = services
    expect(web).toMatchObject({
      state: "running",
      replicas: { wanted: 2, ready: 2 },
      release: { digest: one.digest, generation: 1 },
      drift: [],
      cluster: {
        context: rig.lab.context,
        namespace: rig.namespace,
        exposed: "ports of the nodes at 127.0.0.1, shares by replicas",
        shares: { blue: 100, green: 0 },
        autoscaler: undefined,
        events: [],
        look: undefined,
      },
    })
    expect(await (await fetch(web?.url ?? "")).text()).toMatch(/^v1 web-blue-/)
    expect(web?.instances).toHaveLength(2)
    expect(web?.instances.every((i) => i.ready && i.traffic && i.restarts === 0 && i.digest === one.digest)).toBe(true)
    expect(await versions()).toBe(before)
  })

  it("is found from a machine that has never seen it", async () => {
    const [web, other] = await describeEnvironments(machine())
    expect(web).toMatchObject({ state: "running", release: { digest: one.digest } })
    expect(other).toMatchObject({ service: "other", state: "empty", url: undefined, reachable: true })
    expect(await readHistory(memoryOf(machine(), "test", "web").notes)).toHaveLength(1)
    expect(await unfinishedRelease(machine(), "test", "web")).toBeUndefined()
  })
})

it("after a rollback, which goes faster than the strategy says, nothing is drift either", async () => {
  await fresh()
  await rig.deploy(two)
  await rig.rollBack()
  const [web] = (await detail()).services
  expect(web).toMatchObject({ state: "running", release: { digest: one.digest, generation: 3 }, drift: [] })
  expect(web?.history.map((h) => h.refused === undefined)).toEqual([true, false, true])
})

describe("what somebody changed by hand", () => {
  beforeEach(fresh)

  it("kubectl scale, set env and edit: field, values and who", async () => {
    await kubectl("scale", "deployment/web-blue", "--replicas=3")
    expect(await drift()).toContain("Deployment web-blue: spec.replicas: 2 → 3, set by kubectl (scale)")
    await kubectl("set", "env", "deployment/web-blue", "VERSION=mine", "EXTRA=1", "API_TOKEN=hush")
    await kubectl("patch", "service", "web", "--type=merge", "-p", '{"spec":{"selector":{"gantry.dev/track":"green"}}}')
    await kubectl("delete", "service", "web-green")
    const found = await drift()
    const env = "Deployment web-blue: spec.template.spec.containers[web].env"
    expect(found).toEqual(
      expect.arrayContaining([
        "Deployment web-blue: spec.replicas: 2 → 3, set by kubectl (scale)",
        `${env}[VERSION].value: v1 → mine, set by kubectl-set`,
        `${env}[EXTRA]: none → {"name":"EXTRA","value":"1"}, set by kubectl-set`,
        `${env}[API_TOKEN]: none → ***, set by kubectl-set`,
        'Service web: spec.selector["gantry.dev/track"]: blue → green, set by kubectl-patch',
        "Service web-green: object: there → none",
      ]),
    )
    expect(found.join()).not.toContain("hush")
    expect(found).toHaveLength(6)
  })

  it("an image that cannot be pulled: the pod, the cluster's words and what to look at", async () => {
    await kubectl("set", "image", "deployment/web-blue", "web=127.0.0.1:5000/lab/nothing:1")
    // The cluster says it in two places, the pod and its events, and either may be first.
    let web: EnvironmentDetail["services"][number] | undefined
    const said = async () => {
      ;[web] = (await detail()).services
      const why = web?.instances.find((i) => !i.ready)?.why ?? ""
      return (
        /ErrImagePull|ImagePullBackOff/.test(why) && /^Failed: |^BackOff: /.test(web?.cluster?.events[0]?.text ?? "")
      )
    }
    await until(said, 60).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(web?.instances)} ${JSON.stringify(web?.cluster)}`)
    })
    expect(web?.state).toBe("degraded")
    expect(web?.drift.map((d) => `${d.field}: ${d.found} by ${d.by ?? "?"}`)).toEqual(
      expect.arrayContaining([
        "spec.template.spec.containers[web].image: 127.0.0.1:5000/lab/nothing:1 by kubectl-set",
        "image: 127.0.0.1:5000/lab/nothing:1 by ?",
      ]),
    )
    const bad = web?.instances.find((i) => !i.ready)
    expect(web?.cluster?.look).toBe(
      `kubectl --context ${rig.lab.context} -n ${rig.namespace} describe pod ${bad?.name ?? ""}`,
    )
  })

  it("a pod of nobody's that has the service's labels, and a Deployment that is gone", async () => {
    const image = one.reference
    await kubectl(
      ...["run", "stranger", `--image=${image}`, "--labels=app.kubernetes.io/name=web,gantry.dev/track=blue"],
      `--overrides={"spec":{"securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},"containers":[{"name":"stranger","image":"${image}","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}}`,
    )
    await kubectl("delete", "deployment", "web-blue", "--wait=true")
    expect(await drift()).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^Pod stranger: release: [0-9a-f]{12} .* → none$/),
        "Deployment web-blue: object: there → none",
      ]),
    )
    await kubectl("delete", "pod", "stranger", "--now")
  })
})

it("where an autoscaler has the say, the number of instances is no drift", async () => {
  const elastic = { ...rolling, kubernetes: { defaults: { autoscaling: { min: 1, max: 4, cpu: 80 } } } }
  await removeEnvironments(rig.project)
  await rig.deploy(one, { input: elastic })
  await kubectl("scale", "deployment/web-blue", "--replicas=3")
  const environments = { test: rig.environment(elastic) }
  const { services } = await describeEnvironment({ ...rig.project, environments }, "test", ["web"])
  expect(services[0]?.drift).toEqual([])
  expect(services[0]?.cluster?.autoscaler).toMatchObject({ min: 1, max: 4 })
  await removeEnvironments(rig.project)
})

/** What the verbs write. */
const said: string[] = []
/** A folder with the project, for verbs on a machine that has never seen it. What they write is kept in `said`. */
async function commandLine(input: EnvironmentInput): Promise<string> {
  const service = `name: web\ntoolchain: { image: "node:22" }\nbuild: { dockerfile: Dockerfile }\nhealth: {}\n`
  const environments = { test: { ...input, target: "kubernetes", kubernetes: rig.environment(input).kubernetes } }
  const { dir } = await makeProject({
    "gantry.config.ts": `export default ${JSON.stringify({ project: "shop", services: ["web"], environments })}\n`,
    "web/gantry.service.yaml": service,
    "web/Dockerfile": "FROM scratch\n",
  })
  vi.stubEnv("GANTRY_HOME", elsewhere)
  said.length = 0
  const keep = (text: unknown) => said.push(String(text)) > 0
  vi.spyOn(process.stderr, "write").mockImplementation(keep)
  vi.spyOn(process.stdout, "write").mockImplementation(keep)
  return dir
}

describe("a canary that pauses, seen and decided on another machine", () => {
  let dir: string
  beforeEach(async () => {
    await fresh()
    await expect(
      rig.deploy(two, { input: canary, judge: judged("inconclusive", "few requests") }),
    ).rejects.toMatchObject({
      kind: "waiting",
    })
    dir = await commandLine(canary)
  })
  const about = { as: "Lin", reason: "a test" }

  it("is shown with its share and what to do; promoted, the next deployment ends it", async () => {
    const show = await envShow(dir, "test", "web", {})
    expect(said.join("")).toMatch(/rollout +canary of sha256:.*: paused, step 1, \d+ % of the traffic; few requests/)
    expect(said.join("")).toContain("now: gantry promote|abort test --service web")
    expect(said.join("")).not.toContain("drift ")
    expect(show).toBe(0)
    expect(await unfinishedRelease(machine(), "test", "web")).toBe(releaseKey(two))
    expect(await rolloutVerb(dir, "test", "promote", about)).toBe(0)
    await rig.deploy(two, { input: canary, judge: judged("inconclusive", "few requests") })
    const environments = { test: rig.environment(canary) }
    const [web] = await describeEnvironments({ ...machine(), environments })
    expect(web).toMatchObject({ state: "running", rollout: undefined, release: { digest: two.digest } })
    expect(web?.previous?.digest).toBe(one.digest)
    expect(
      (await describeEnvironment({ ...machine(), engine: rig.project.engine, environments }, "test", ["web"]))
        .services[0]?.drift,
    ).toEqual([])
  })

  it("aborted, it is taken back", async () => {
    expect(await rolloutVerb(dir, "test", "abort", about)).toBe(0)
    await expect(rig.deploy(two, { input: canary, judge: judged("pass") })).rejects.toMatchObject({ kind: "failed" })
    expect(await readRollout(memoryOf(machine(), "test", "web").notes)).toBeUndefined()
    const [web] = await describeEnvironments(machine())
    expect(web).toMatchObject({ state: "running", release: { digest: one.digest } })
  })

  it("a process that holds the lock is named; unlock --force takes the lock away", async () => {
    const { locks } = memoryOf(rig.project, "test", "web")
    const { signal } = new AbortController()
    const held = locks.hold(
      "deploy",
      "deploy web to test",
      async () => {
        await expect(unlock(dir, "test", {})).rejects.toMatchObject({ code: "UNLOCK-HELD" })
        expect(said.join("")).toContain(`held by process ${process.pid}`)
        const show = await describeEnvironment(rig.project, "test", ["web"])
        expect(show.services[0]?.busy).toMatchObject({ what: "deploy web to test" })
        expect(await unlock(dir, "test", { force: true })).toBe(0)
        expect(await locks.holder("deploy")).toBeUndefined()
      },
      { signal },
    )
    await held
  })
})

describe("several clusters", () => {
  const silent = (): Rig["project"] => ({
    ...rig.project,
    environments: {
      test: rig.environment(rolling),
      uat: {
        ...rig.environment(rolling),
        name: "uat",
        kubernetes: { ...rig.environment(rolling).kubernetes, kubeconfig: join(elsewhere, "silent") },
      },
      prod: {
        ...rig.environment(rolling),
        name: "prod",
        kubernetes: { ...rig.environment(rolling).kubernetes, context: "another" },
      },
    },
  })
  beforeAll(async () => {
    await fresh()
    const config = await rig.lab.kubectl(["config", "view", "--raw", "--flatten"])
    // Nobody listens on the discard port.
    await writeFile(join(elsewhere, "silent"), config.replace(/server: .*/, "server: https://127.0.0.1:9"))
  })

  it("one that does not answer, or is not known, is told; the others go on; nobody waits for long", async () => {
    const started = performance.now()
    const all = await describeEnvironments(silent())
    expect(performance.now() - started).toBeLessThan(30_000)
    const of = (name: string) => all.find((s) => s.environment === name && s.service === "web") as EnvironmentService
    expect(of("test")).toMatchObject({ state: "running", reachable: true })
    expect(of("uat")).toMatchObject({ state: "unknown", reachable: false, trouble: { code: "K8S-UNREACHABLE" } })
    expect(of("prod")).toMatchObject({ state: "unknown", reachable: false, trouble: { code: "K8S-KUBECONFIG" } })
    await expect(compareEnvironments(silent(), "test", "uat")).rejects.toMatchObject({ code: "K8S-UNREACHABLE" })
    expect(await describeEnvironment(silent(), "uat", ["web"])).toMatchObject({ reachable: false, drift: [] })
  })
})

it("gantry env tidy removes blue once its time is over, and nothing that serves", async () => {
  const blueGreen: EnvironmentInput = {
    replicas: 2,
    strategy: { kind: "blue-green", keepSeconds: 3600, pauseSeconds: 0, checkTimes: 1, ...pace },
  }
  await fresh()
  const dir = await commandLine(blueGreen)
  expect(await envTidy(dir, "test", {})).toBe(0)
  expect(said.join("")).toContain("Nothing is kept in test\n")
  await rig.deploy(two, { input: blueGreen })
  const { notes } = memoryOf(machine(), "test", "web")
  const kept = await readKept(notes)
  expect(kept).toMatchObject({ key: releaseKey(one) })
  expect(await envTidy(dir, undefined, {})).toBe(0)
  expect(said.join("")).toContain("web in test: blue stays: its time is not over")
  expect((await detail()).services[0]?.instances).toHaveLength(4)

  await writeKept(notes, { key: kept?.key ?? "", until: new Date(Date.now() - 1000).toISOString() })
  expect(await envTidy(dir, "test", {})).toBe(0)
  expect(said.join("")).toContain("web in test: blue is gone")
  expect((await kubectl("get", "deployments", "-l", "gantry.dev/part=instance", "-o", "name")).trim()).toBe(
    "deployment.apps/web-green",
  )
  const environments = { test: rig.environment(blueGreen) }
  const [web] = (await describeEnvironment({ ...rig.project, environments }, "test", ["web"])).services
  expect(web).toMatchObject({ state: "running", replicas: { wanted: 2, ready: 2 }, drift: [] })
  expect(web?.instances.map((i) => i.digest)).toEqual([two.digest, two.digest])
  expect(await readKept(notes)).toBeUndefined()
})

it("gantry env settle: a person says how a migration ended, but not while its Job is there", async () => {
  await fresh()
  const dir = await commandLine(rolling)
  const { notes } = memoryOf(machine(), "test", "web")
  const settle = (how: string) => envSettle(dir, "test", "web", how, { reason: "the table is there" })
  await expect(settle("done")).rejects.toMatchObject({ code: "MIGRATION-KNOWN" })
  const { digest, commit } = one
  const about = { key: "k", content: "c", run: "migrate", digest, commit, compatible: true, timeoutSeconds: 60 }
  await recordMigration(notes, { ...about, status: "started", startedAt: new Date().toISOString() })
  expect((await detail()).services[0]?.migration).toMatchObject({ status: "started" })

  const job = { apiVersion: "batch/v1", kind: "Job", metadata: { name: "web-migration" } }
  const containers = [{ name: "sleeps", image: one.reference }]
  const spec = { parallelism: 0, template: { spec: { restartPolicy: "Never", containers } } }
  await rig.lab.kubectl(["-n", rig.namespace, "apply", "-f", "-"], { input: JSON.stringify({ ...job, spec }) })
  await expect(settle("done")).rejects.toMatchObject({
    code: "MIGRATION-RUNS",
    reason: `Job web-migration in ${rig.namespace}`,
  })
  await kubectl("delete", "job", "web-migration", "--wait=true")
  expect(await settle("done")).toBe(0)
  expect(said.join("")).toContain("the migration of web in test counts as done")
  expect((await detail()).services[0]?.migration).toMatchObject({ status: "done" })
  await expect(settle("failed")).rejects.toMatchObject({ code: "MIGRATION-KNOWN" })
})

describe("gantry stop", () => {
  const left = async () =>
    (
      await kubectl(
        "get",
        "deployments,services,configmaps,leases,pdb,networkpolicies,pods,serviceaccounts",
        "-l",
        "gantry.dev/environment=test",
        "-o",
        "name",
      )
    ).trim()

  it("leaves what is remembered, or with --data nothing at all; the next deployment brings it back", async () => {
    await fresh()
    const dir = await commandLine(rolling)
    expect(await stop(dir, "test", {})).toBe(0)
    expect(said.join("")).toContain("test is down; its data are kept")
    expect(await left()).toBe("configmap/gantry-web")
    expect((await rig.deploy(one)).unchanged).toBe(false)
    expect((await detail()).services[0]).toMatchObject({ state: "running", release: { digest: one.digest } })
    expect(await stop(dir, "test", { data: true })).toBe(0)
    expect(await left()).toBe("")
    expect(await describeEnvironments(rig.project)).toMatchObject([{ state: "empty" }, { state: "empty" }])
    // There is nothing to take down, which is fine.
    expect(await stop(dir, "test", {})).toBe(0)
  })

  it("does nothing where people approve, nor where nobody knows what runs", async () => {
    await fresh()
    const behind = await commandLine({ ...rolling, approvals: { required: 1 } })
    await expect(stop(behind, "test", {})).rejects.toMatchObject({ code: "ENV-STOP-APPROVED" })
    const nowhere = await commandLine({ ...rolling, kubernetes: { context: "another" } })
    await expect(stop(nowhere, "test", {})).rejects.toMatchObject({ code: "K8S-KUBECONFIG" })
    expect((await detail()).services[0]).toMatchObject({ state: "running" })
  })
})
