import { randomBytes } from "node:crypto"
import { writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { performance } from "node:perf_hooks"
import { engineConfig } from "../../../engine/config.js"
import type { EnvironmentInput } from "../../../environments/environment.js"
import type { KubernetesObject } from "../../../environments/kubernetes/object.js"
import { chartFolder, renderChart, renderTools, withScratch } from "../../../environments/kubernetes/render.js"
import type { ChartInput } from "../../../environments/kubernetes/values.js"
import type { ReleaseSpec } from "../../../environments/release.js"
import { until } from "../../integration/environments/lab.js"
import { load } from "../../integration/environments/load.js"
import { openRig, type Rig } from "../../kubernetes/rig.js"
import type { Case, Sample } from "../case.js"

const replicas = 3
const pace = { minReadySeconds: 1, drainSeconds: 5, graceSeconds: 5 }
const resources = { requests: { cpu: "10m", memory: "32Mi" }, limits: { cpu: "1", memory: "128Mi" } }
const rolling: EnvironmentInput = { replicas, strategy: { kind: "rolling", ...pace } }
const blueGreen: EnvironmentInput = {
  replicas,
  strategy: { kind: "blue-green", ...pace, keepSeconds: 600, pauseSeconds: 0, checkTimes: 1 },
}

let rig: Rig
const images = new Map<Version, Image>()
type Version = "v1" | "v2"
interface Image {
  readonly reference: string
  readonly digest: string
}
const image = (version: Version) => images.get(version) as Image
/** A namespace for those who do it without Gantry. */
const beside = `bench-${randomBytes(3).toString("hex")}`
const kubectl = (...args: string[]) => rig.lab.kubectl([...args, "--namespace", beside])
const release = (service: string, version: Version): ReleaseSpec =>
  rig.release(image(version), { service, env: { DRAIN: "0s" } })

/** Values of Gantry's chart as Gantry has them for the same release, for Helm and for kubectl. */
const values = (service: string, version: Version, track: "blue" | "green" = "blue"): ChartInput => ({
  service,
  image: { repository: image(version).reference.split("@")[0] ?? "", digest: image(version).digest },
  track,
  replicas,
  readiness: "/ready",
  startupSeconds: 30,
  ...pace,
  env: { DRAIN: "0s" },
  resources,
  exposure: { kind: "nodePort" },
})
const tools = renderTools(engineConfig.parse({}))

interface Times {
  /** Seconds until the command was through. */
  readonly took: number
  /** Seconds until users saw the other version for the last time. */
  readonly seen: number
  readonly failed: number
}

/** Users who ask while `work` goes on and a moment longer. @param leaves the version that they are to see no more */
async function watched(url: string, leaves: Version, work: () => Promise<unknown>): Promise<Times> {
  const traffic = load(url, { connections: 2, methods: ["GET"], keepAlive: false, most: 100_000 })
  await until(() => traffic.count() > 20, 30)
  const began = performance.now()
  await work()
  const took = (performance.now() - began) / 1000
  const asked = traffic.count()
  await until(() => traffic.count() > asked + 20, 30)
  const { seen, failures } = await traffic.stop()
  return { took, seen: ((seen[leaves]?.last ?? NaN) - began) / 1000, failed: failures.length }
}

const sample = (there: Times, back: Times): Sample => ({
  "forward s": there.took,
  "seen s": there.seen,
  "back s": back.took,
  "back seen s": back.seen,
  failed: there.failed + back.failed,
})

async function byGantry(service: string, input: EnvironmentInput): Promise<Sample> {
  const target = await rig.target(service, input)
  const plainly = { ...input, strategy: { kind: "rolling", ...pace } } as const
  await target.notes.write("refused", undefined)
  await rig.deploy(release(service, "v1"), { input: plainly })
  const { url } = await rig.target(service, input)
  const there = await watched(url, "v1", () => rig.deploy(release(service, "v2"), { input }))
  return sample(there, await watched(url, "v2", () => rig.rollBack(service, input)))
}

const status = (deployment: string) => kubectl("rollout", "status", deployment, "--timeout=120s")
const apply = (objects: readonly KubernetesObject[]) =>
  rig.lab.kubectl(["apply", "--namespace", beside, "-f", "-"], {
    input: JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }),
  })
const address = async (service: string) =>
  `http://127.0.0.1:${await kubectl("get", "service", service, "-o", "jsonpath={.spec.ports[0].nodePort}")}/`

async function byRollout(): Promise<Sample> {
  const deployment = "deployment/rollout-blue"
  await apply(await renderChart(tools, values("rollout", "v1"), { namespace: beside }))
  await status(deployment)
  const url = await address("rollout")
  const there = await watched(url, "v1", async () => {
    await kubectl("set", "image", deployment, `rollout=${image("v2").reference}`)
    await status(deployment)
  })
  const back = await watched(url, "v2", async () => {
    await kubectl("rollout", "undo", deployment)
    await status(deployment)
  })
  return sample(there, back)
}

async function byHelm(): Promise<Sample> {
  const helm = await tools.helm()
  const run = (...args: string[]) =>
    withScratch(async (scratch) => {
      for (const version of ["v1", "v2"] as const)
        await writeFile(join(scratch, `${version}.json`), JSON.stringify(values("helm", version)))
      const folders = [chartFolder(), dirname(rig.lab.kubeconfig)]
      const ran = await helm.run(
        [...args.map((a) => (a.endsWith(".json") ? join(scratch, a) : a)), "--namespace", beside],
        { scratch, folders, env: { KUBECONFIG: rig.lab.kubeconfig }, network: "host" },
      )
      if (ran.exitCode !== 0) throw new Error(`helm ${args.join(" ")}: ${ran.stderr}`)
    })
  const upgrade = (version: Version) =>
    run("upgrade", "helm", chartFolder(), "--install", "--atomic", "--timeout=120s", "--values", `${version}.json`)
  await upgrade("v1")
  const url = await address("helm")
  const there = await watched(url, "v1", () => upgrade("v2"))
  return sample(there, await watched(url, "v2", () => run("rollback", "helm", "--wait", "--timeout=120s")))
}

/** Two Deployments and the Service's selector, by hand. */
async function bySelector(): Promise<Sample> {
  await apply(await renderChart(tools, values("hand", "v1"), { namespace: beside }))
  await status("deployment/hand-blue")
  const green = await renderChart(tools, values("hand", "v2", "green"), { namespace: beside })
  const select = (track: string) =>
    kubectl("patch", "service", "hand", `--patch={"spec":{"selector":{"gantry.dev/track":"${track}"}}}`)
  const url = await address("hand")
  const there = await watched(url, "v1", async () => {
    await apply(green.filter((o) => o.kind === "Deployment" || o.kind === "ConfigMap"))
    await status("deployment/hand-green")
    await select("green")
  })
  const back = await watched(url, "v2", () => select("blue"))
  await kubectl("delete", "deployment", "hand-green", "--cascade=foreground")
  return sample(there, back)
}

/**
 * What the ratios are of: forward until the command is through, for then the new release is whole; back until users see the
 * bad one no more, for then Gantry takes it away and who sets a selector by hand does not.
 */
const measures = [
  ["forward", "forward s"],
  ["back, as users see it", "back seen s"],
] as const

export const kubernetes: Case = {
  name: "kubernetes",
  title: `a rollout of ${replicas} replicas on Kubernetes, forward and back: same image, probes, drain of ${pace.drainSeconds} s; seconds until the command is through, and until users see the other version no more`,
  rounds: 3,
  async prepare() {
    rig = await openRig(rolling)
    await rig.lab.kubectl(["create", "namespace", beside])
    for (const version of ["v1", "v2"] as const) {
      const reference = await rig.lab.webImage(version)
      images.set(version, { reference, digest: reference.split("@")[1] ?? "" })
    }
  },
  async close() {
    await rig.lab.kubectl(["delete", "namespace", beside, "--wait=false"])
    await rig.close()
  },
  variants: [
    { name: "gantry rolling", run: () => byGantry("rolling", rolling) },
    { name: "kubectl rollout", run: byRollout },
    { name: "helm upgrade --atomic", run: byHelm },
    { name: "gantry blue-green", run: () => byGantry("green", blueGreen) },
    { name: "kubectl, by selector", run: bySelector },
  ],
  conclude: (median) =>
    measures.flatMap(([name, measure]) => {
      const ratio = (one: string, other: string) => ({
        name: `${name}: ${one} / ${other}`,
        value: median(one, measure) / median(other, measure),
        unit: "x",
      })
      return [
        ratio("gantry rolling", "kubectl rollout"),
        ratio("gantry rolling", "helm upgrade --atomic"),
        ratio("gantry blue-green", "kubectl, by selector"),
      ]
    }),
}
