import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { environment, type EnvironmentInput } from "../../../environments/environment.js"
import { readHistory } from "../../../environments/history.js"
import { kubernetesView } from "../../../environments/kubernetes/view.js"
import { ownObjects } from "../../../environments/targets/own-of.js"
import type { ReleaseSpec } from "../../../environments/release.js"
import { plainly } from "../../../environments/strategies/settings.js"
import { until } from "../../integration/environments/lab.js"
import { configMap, nodePort, paused, projectFolder, workload, yaml } from "./own-files.js"
import { openRig, type Rig } from "../rig.js"

const input: EnvironmentInput = {
  strategy: { kind: "rolling", minReadySeconds: 1, drainSeconds: 1, graceSeconds: 5 },
  kubernetes: {
    expose: { kind: "nodePort" },
    services: {
      web: { own: { kind: "manifests", path: "k8s" } },
      switched: { own: { kind: "manifests", path: "k8s" } },
      ordered: { own: { kind: "manifests", path: "k8s" } },
      charted: { own: { kind: "chart", path: "chart", values: ["values-test.yaml"] } },
      built: { own: { kind: "kustomize", path: "overlays/test" } },
    },
  },
}
type Image = Awaited<ReturnType<Rig["image"]>>
interface Pod {
  readonly metadata: { readonly deletionTimestamp?: string }
  readonly spec: { readonly containers: readonly { readonly image: string }[] }
}
type Files = Readonly<Record<string, string>>

let rig: Rig
let v1: Image
let v2: Image
let project: Awaited<ReturnType<typeof projectFolder>>
beforeAll(async () => {
  rig = await openRig(input)
  v1 = await rig.image("one")
  v2 = await rig.image("two")
  project = await projectFolder()
})
afterAll(async () => {
  await rig.close()
  await project.close()
})

/** A release whose tree has these files in the service's folder. */
async function rendered(service: string, image: Image, files: Files, over: Partial<ReleaseSpec> = {}) {
  await project.write(Object.fromEntries(Object.entries(files).map(([path, text]) => [join("service", path), text])))
  const own = await ownObjects({
    engine: rig.engine,
    project: "shop",
    environment: environment("test", rig.complete(input)),
    service,
    reference: image.reference,
    root: project.root,
    folder: join(project.root, "service"),
  })
  if (own === undefined) throw new Error(`${service} brings nothing`)
  return { own, release: rig.release(image, { service, env: {}, own: own.hash, ...over }) }
}
async function deliver(...what: Parameters<typeof rendered>) {
  const { own, release } = await rendered(...what)
  return rig.deploy(release, { own })
}
const kubectl = async (...args: string[]) => (await rig.lab.kubectl(["-n", rig.namespace, ...args])).trim()
const names = async (kind: string, selector: string) =>
  (await kubectl("get", kind, "-l", selector, "-o", "jsonpath={.items[*].metadata.name}")).split(" ").filter(Boolean)
const text = async (service: string) => {
  const { url } = await rig.target(service)
  // kube-proxy learns of a port a moment after the API does.
  let answer = ""
  await until(async () => {
    answer = await fetch(url, { signal: AbortSignal.timeout(2000) }).then(
      (r) => r.text(),
      () => "",
    )
    return answer !== ""
  }, 20)
  return answer
}
/** Of the pods that stay: those before them may still be on their way out. */
const images = async (service: string) => {
  const text = await kubectl("get", "pods", "-l", `gantry.dev/service=${service}`, "-o", "json")
  const { items } = JSON.parse(text) as { items: readonly Pod[] }
  return items.flatMap((pod) =>
    pod.metadata.deletionTimestamp === undefined ? pod.spec.containers.map((c) => c.image) : [],
  )
}
const failure = (work: Promise<unknown>) => rig.failure(work)
const ids = async (service: string) => (await (await rig.target(service)).describe()).map((i) => i.id).sort()

const view = () =>
  kubernetesView({ ...rig.project, services: [{ name: "web" }] }, environment("test", rig.complete(input)), {})

describe("plain manifests", () => {
  const app = { name: "web", version: "m1" }
  const plain = (...more: object[]): Files => ({ "k8s/web.yaml": yaml(workload(app), nodePort("web"), ...more) })

  it("are deployed, reached at their own node port, and left alone when the same release comes again", async () => {
    await view().remove({ data: true })
    const first = await deliver("web", v1, plain())
    expect(first).toMatchObject({ unchanged: false, previous: undefined })
    expect(await text("web")).toMatch(/^m1 web-/)
    expect(await images("web")).toEqual([v1.reference, v1.reference])
    const before = await ids("web")
    expect(before).toHaveLength(2)
    const again = await deliver("web", v1, plain(), { commit: "another" })
    expect(again.unchanged).toBe(true)
    expect(await ids("web")).toEqual(before)
  })

  it("what somebody took away of the release that runs comes back with it", async () => {
    await deliver("web", v1, plain())
    await kubectl("delete", "service", "web")
    expect((await deliver("web", v1, plain())).unchanged).toBe(true)
    expect(await text("web")).toMatch(/^m1 /)
  })

  it("a new digest replaces the pods; what the release does not have any more is removed, volumes are not", async () => {
    const claim = {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "web-data" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
    }
    // Beside it, of another image: it stays as it is.
    const beside = paused("beside")
    await deliver("web", v1, plain(configMap("web-old"), claim, paused("gone"), beside))
    expect(await names("configmap,deployment", "gantry.dev/service=web")).toEqual(["web-old", "beside", "gone", "web"])
    const still = await kubectl("get", "pod", "-l", "app=beside", "-o", "name")
    const done = await deliver("web", v2, plain(configMap("web-new"), beside))
    expect(done.previous?.digest).toBe(v1.digest)
    expect(await images("web")).toEqual([v2.reference, v2.reference])
    expect(await names("configmap,deployment", "gantry.dev/service=web")).toEqual(["web-new", "beside", "web"])
    expect(await kubectl("get", "pod", "-l", "app=beside", "-o", "name")).toBe(still)
    expect(await names("persistentvolumeclaim", "gantry.dev/service=web")).toEqual(["web-data"])
  })

  it("goes back by digest to exactly what ran, from a machine that has nothing but the cluster", async () => {
    await deliver("web", v1, plain(configMap("web-then", { text: "then" })))
    await deliver("web", v2, {
      "k8s/web.yaml": yaml(workload({ ...app, version: "m2", replicas: 1 }), nodePort("web")),
    })
    await until(async () => (await text("web")).startsWith("m2 "), 30)
    await project.write({})
    const back = await rig.rollBack("web")
    expect(back.release.digest).toBe(v1.digest)
    expect(await images("web")).toEqual([v1.reference, v1.reference])
    expect(await kubectl("get", "configmap", "web-then", "-o", "jsonpath={.data.text}")).toBe("then")
    await until(async () => (await text("web")).startsWith("m1 "), 20)
  })

  it("one that never gets ready goes back, with its log, and leaves nothing of itself", async () => {
    await deliver("web", v1, plain())
    const bad = { ...app, version: "bad", env: { NEVER_READY: "1" } }
    const error = await failure(
      deliver(
        "web",
        v2,
        { "k8s/web.yaml": yaml(workload(bad), nodePort("web"), configMap("web-bad")) },
        { startupSeconds: 6 },
      ),
    )
    expect(error).toMatchObject({ code: "DEPLOY-NOT-READY", kind: "failed" })
    expect(error.reason).toMatch(/starting bad[^]*serves again/)
    expect(await text("web")).toMatch(/^m1 /)
    expect(await images("web")).toEqual([v1.reference, v1.reference])
    expect(await names("configmap", "gantry.dev/service=web")).toEqual([])
    const kept = (await names("secret", "app.kubernetes.io/name=web,gantry.dev/part=memory")).length
    expect(kept).toBeGreaterThan(0)
  })

  it("what its volumes take to come is not its time to become ready", async () => {
    await deliver("web", v1, plain())
    const made = workload({ ...app, version: "late", replicas: 1 })
    const [container] = made.spec.template.spec.containers
    const pod = {
      ...made.spec.template.spec,
      containers: [{ ...container, volumeMounts: [{ name: "late", mountPath: "/late" }] }],
      volumes: [{ name: "late", secret: { secretName: "late" } }],
    }
    const late = { ...made, spec: { ...made.spec, template: { ...made.spec.template, spec: pod } } }
    const startupSeconds = 20
    const files = { "k8s/web.yaml": yaml(late, nodePort("web")) }
    const delivery = deliver("web", v2, files, { startupSeconds })
    const creating = async () => {
      const text = await kubectl("get", "pods", "-l", "gantry.dev/service=web", "-o", "json")
      const { items } = JSON.parse(text) as { items: readonly { status: { phase: string; startTime?: string } }[] }
      const waiting = items.filter(({ status }) => status.phase === "Pending" && status.startTime !== undefined)
      return waiting.map(({ status }) => (Date.now() - Date.parse(status.startTime ?? "")) / 1000)
    }
    await Promise.race([delivery, until(async () => (await creating()).some((age) => age > startupSeconds + 3), 120)])
    await kubectl("create", "secret", "generic", "late")
    expect((await delivery).unchanged).toBe(false)
    await until(async () => (await text("web")).startsWith("late "), 30)
  })

  it("an image that cannot be pulled ends the wait at once", async () => {
    await deliver("web", v1, plain())
    const digest = `sha256:${"0".repeat(64)}`
    const started = performance.now()
    const error = await failure(
      deliver("web", { reference: v1.reference.replace(/@.*/, `@${digest}`), digest }, plain()),
    )
    expect(error).toMatchObject({ code: "DEPLOY-CANNOT-RUN", kind: "errored" })
    expect(performance.now() - started).toBeLessThan(60_000)
    expect(await images("web")).toEqual([v1.reference, v1.reference])
  })

  it("what the cluster refuses is known before anything is touched", async () => {
    await deliver("web", v1, plain())
    const before = await ids("web")
    const wrong = { ...nodePort("web"), spec: { ports: [{ port: 99_999 }] } }
    const error = await failure(deliver("web", v2, { "k8s/web.yaml": yaml(workload(app), wrong) }))
    expect(error.code).toBe("K8S-INVALID")
    expect(await ids("web")).toEqual(before)
  })
})

describe("beside a deployment", () => {
  const app = { name: "web", version: "m1" }
  const plain = (...more: object[]): Files => ({ "k8s/web.yaml": yaml(workload(app), nodePort("web"), ...more) })
  const question = async () => {
    const [current] = await readHistory((await rig.target("web")).notes)
    return { current, others: [], moving: false }
  }

  it("what a killed process left half done is finished by the next one", async () => {
    await deliver("web", v1, plain())
    const { own, release } = await rendered("web", v2, plain(configMap("web-half")))
    const target = await rig.target("web", input, own)
    const killed = new AbortController()
    const quiet = { tell: () => undefined, keepLog: () => Promise.resolve(), signal: killed.signal }
    const strategy = plainly(environment("test", rig.complete(input)).strategy, 2)
    await target.prepare(release, killed.signal)
    const rolling = target.roll?.({ release, replicas: 2, strategy, ...quiet })
    await until(async () => (await target.describe()).some((i) => i.release.digest === v2.digest), 30)
    killed.abort()
    await expect(rolling).rejects.toThrow()
    await deliver("web", v1, plain())
    expect(await images("web")).toEqual([v1.reference, v1.reference])
    expect(await names("configmap", "gantry.dev/service=web")).toEqual([])
  })

  it("it is looked at as others are, and what somebody changed by hand is told", async () => {
    await deliver("web", v1, plain())
    const running = await view().running("web")
    expect(running).toMatchObject({ wanted: 2, instances: [{ ready: true, digest: v1.digest }, { ready: true }] })
    expect(running.url).toBe((await rig.target("web")).url)
    expect(await view().drift("web", await question())).toEqual([])
    await kubectl("scale", "deployment", "web", "--replicas=3")
    const drift = await view().drift("web", await question())
    expect(drift).toMatchObject([{ what: "Deployment web", field: "spec.replicas", expected: "2", found: "3" }])
    // Told, not forced: whoever did it takes it back, or it is written down.
    const error = await failure(deliver("web", v2, plain()))
    expect(error.code).toBe("K8S-CONFLICT")
    expect((await images("web")).every((image) => image === v1.reference)).toBe(true)
    await kubectl("delete", "deployment", "web")
  })

  it("it does not take the place of Gantry's chart, nor the other way round, as long as the other is there", async () => {
    const bare = { ...input, kubernetes: { expose: { kind: "nodePort" as const } } }
    await deliver("web", v1, plain())
    const error = await failure(rig.deploy(rig.release(v1), { input: bare }))
    expect(error).toMatchObject({ code: "OWN-SWITCH", kind: "usage" })
    expect(await names("deployment", "app.kubernetes.io/name=web")).toEqual([])
    await rig.deploy(rig.release(v1, { service: "switched" }), { input: { ...bare, replicas: 1 } })
    const manifests = { "k8s/all.yaml": yaml(workload({ name: "switched", version: "w1" })) }
    expect((await failure(deliver("switched", v1, manifests))).code).toBe("OWN-SWITCH")
    expect(await names("deployment", "gantry.dev/service=switched")).toEqual([])
  })

  it("it is taken down whole, and comes back with the next deployment", async () => {
    await view().remove({ data: false })
    expect(await names("deployment,service,configmap,pod", "gantry.dev/service=web")).toEqual([])
    expect((await deliver("web", v1, plain())).unchanged).toBe(false)
    expect(await text("web")).toMatch(/^m1 /)
    await view().remove({ data: true })
    expect(await names("deployment,service,persistentvolumeclaim", "gantry.dev/service=web")).toEqual([])
    expect(await names("secret,configmap", "app.kubernetes.io/name=web")).toEqual([])
  })
})

describe("a chart", () => {
  const chart = (version: string, job = "true"): Files => ({
    "chart/Chart.yaml": "apiVersion: v2\nname: charted\nversion: 1.0.0\n",
    "chart/values.yaml": 'replicas: 5\nversion: ""\n',
    "chart/templates/all.yaml": [
      JSON.stringify(workload({ name: "charted", version: "VERSION", kind: "StatefulSet" }))
        .replace('"replicas":2', '"replicas":{{ .Values.replicas }}')
        .replace('"VERSION"}', "{{ .Values.version | quote }}}"),
      JSON.stringify(nodePort("charted")),
      JSON.stringify(jobOf(job)),
    ].join("\n---\n"),
    "values-test.yaml": `replicas: 1\nversion: ${version}\n`,
  })
  const jobOf = (script: string) => {
    const { spec } = workload({ name: "charted-prepare", version: "job" })
    const [container] = spec.template.spec.containers
    const { readinessProbe: _, ...rest } = container ?? {}
    const command = ["node", "-e", script]
    return {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "charted-prepare" },
      spec: {
        backoffLimit: 0,
        template: { spec: { ...spec.template.spec, restartPolicy: "Never", containers: [{ ...rest, command }] } },
      },
    }
  }

  it("is deployed with its values file, a StatefulSet and a Job that runs once a release", async () => {
    await deliver("charted", v1, chart("c1"))
    expect(await text("charted")).toBe("c1 charted-0")
    const first = await kubectl("get", "job", "charted-prepare", "-o", "jsonpath={.metadata.uid}")
    expect((await deliver("charted", v1, chart("c1"))).unchanged).toBe(true)
    expect(await kubectl("get", "job", "charted-prepare", "-o", "jsonpath={.metadata.uid}")).toBe(first)
    await deliver("charted", v2, chart("c2"))
    await until(async () => (await text("charted")) === "c2 charted-0", 20)
    expect(await kubectl("get", "job", "charted-prepare", "-o", "jsonpath={.metadata.uid}")).not.toBe(first)
    expect(await images("charted")).toEqual([v2.reference])
  })

  it("a Job that fails takes the release back, with its last words", async () => {
    await deliver("charted", v1, chart("c1"))
    const error = await failure(deliver("charted", v2, chart("c3", "console.log('no such column');process.exit(3)")))
    expect(error).toMatchObject({ code: "OWN-JOB", kind: "failed" })
    expect(error.reason).toMatch(/no such column[^]*serves again/)
    await until(async () => (await text("charted")) === "c1 charted-0", 20)
  })

  it("a quota ends the wait of a StatefulSet at once", async () => {
    await deliver("charted", v1, chart("c1"))
    await kubectl("create", "quota", "tight", "--hard=requests.memory=1Gi,limits.memory=2Gi")
    try {
      const large = chart("c4")
      const all = (large["chart/templates/all.yaml"] ?? "")
        .replaceAll('"memory":"48Mi"', '"memory":"2Gi"')
        .replaceAll('"memory":"256Mi"', '"memory":"2Gi"')
      const error = await failure(deliver("charted", v2, { ...large, "chart/templates/all.yaml": all }))
      expect(error.code).toBe("K8S-QUOTA")
      await until(async () => (await text("charted")) === "c1 charted-0", 30)
    } finally {
      await kubectl("delete", "quota", "tight")
    }
  })
})

describe("a StatefulSet whose controller waits for each pod", () => {
  const ordered = (version: string, env: Readonly<Record<string, string>> = {}): Files => {
    const made = workload({ name: "ordered", version, kind: "StatefulSet", env })
    const set = { ...made, spec: { ...made.spec, podManagementPolicy: "OrderedReady" } }
    return { "k8s/all.yaml": yaml(set, nodePort("ordered")) }
  }
  const uid = (pod: string) => kubectl("get", "pod", pod, "-o", "jsonpath={.metadata.uid}")

  it.each([
    ["dies", "DEPLOY-DIED", { NEVER_READY: "1", EXIT_AFTER_MS: "100" }, "cannot run"],
    ["never gets ready", "DEPLOY-NOT-READY", { NEVER_READY: "1" }, "does not get ready"],
  ])("goes back from a release that %s, and the next one is brought", async (_what, code, env, why) => {
    await deliver("ordered", v1, ordered("o1"))
    const first = await uid("ordered-0")
    const from = rig.lines.length
    const error = await failure(deliver("ordered", v2, ordered("bad", env), { startupSeconds: 8 }))
    expect(error).toMatchObject({ code, kind: "failed" })
    expect(error.reason).toContain("serves again")
    expect(rig.lines.slice(from).join("\n")).toContain(`ordered-1 of the release that is left ${why} (`)
    expect(await images("ordered")).toEqual([v1.reference, v1.reference])
    // What was not replaced yet was not touched.
    expect(await uid("ordered-0")).toBe(first)
    expect((await deliver("ordered", v2, ordered("o2"))).unchanged).toBe(false)
    expect(await images("ordered")).toEqual([v2.reference, v2.reference])
    await until(async () => (await text("ordered")).startsWith("o2 "), 20)
  })
})

describe("a Kustomize overlay", () => {
  const built = (): Files => ({
    "base/kustomization.yaml": "resources: [all.yaml]\n",
    "base/all.yaml": yaml(workload({ name: "built", version: "k1" }), nodePort("built")),
    "overlays/test/kustomization.yaml":
      "resources: [../../base]\nnamePrefix: t-\nreplicas: [{ name: built, count: 1 }]\n" +
      "configMapGenerator: [{ name: settings, literals: [a=b] }]\n",
  })

  it("is deployed, and nothing of a first release stays that does not start", async () => {
    const bad = built()
    const dies = {
      ...bad,
      "base/all.yaml": (bad["base/all.yaml"] ?? "").replace(
        '"k1"',
        '"k1"},{"name":"EXIT_AFTER_MS","value":"100"},{"name":"NEVER_READY","value":"1"',
      ),
    }
    const error = await failure(deliver("built", v1, dies))
    expect(error.code).toBe("DEPLOY-DIED")
    expect(error.reason).toMatch(/exit code 7[^]*no such table[^]*nothing runs there now/)
    expect(await names("deployment,service,configmap,pod", "gantry.dev/service=built")).toEqual([])
    await deliver("built", v1, built())
    expect(await text("built")).toMatch(/^k1 t-built-/)
    expect((await deliver("built", v1, built())).unchanged).toBe(true)
    await deliver("built", v2, built())
    expect(await images("built")).toEqual([v2.reference])
  })
})
