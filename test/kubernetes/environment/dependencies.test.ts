import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { repositoryClient } from "../../../clients/registry/index.js"
import { registryAddress } from "../../../engine/config.js"
import { resolveImage } from "../../../engine/index.js"
import { bringDependencies, environment } from "../../../environments/index.js"
import type { Brought } from "../../../environments/kubernetes/dependencies/bring.js"
import { packageChart, pushChart } from "../../../environments/kubernetes/package.js"
import { kubernetesView } from "../../../environments/kubernetes/view.js"
import { until } from "../../integration/environments/lab.js"
import { databaseChart } from "./database-chart.js"
import { cacheKind, runOperator, type CacheKind } from "./operator.js"
import { projectFolder, yaml } from "./own-files.js"
import { importRedis, redis, redisImage, redisPod } from "./redis.js"
import { openRig, type Rig } from "../rig.js"

type Declared = NonNullable<NonNullable<Parameters<Rig["complete"]>[0]["kubernetes"]>["dependencies"]>
type Files = Readonly<Record<string, string>>

let rig: Rig
let project: Awaited<ReturnType<typeof projectFolder>>
let kind: CacheKind
let database: string
beforeAll(async () => {
  rig = await openRig()
  project = await projectFolder()
  kind = cacheKind(rig.lab, `t${randomBytes(3).toString("hex")}.gantry.test`)
  await kind.define()
  await importRedis(rig.lab, rig.engine)
  database = (await resolveImage(rig.engine.config, "docker.io/library/mariadb:11.8")).reference
})
afterAll(async () => {
  await rig.close()
  await kind.remove()
  await project.close()
})
afterEach(async () => {
  await view({}).remove({ data: true })
  await until(async () => (await names("pods")).length === 0, 90)
})

const settings = (dependencies: Declared) => environment("test", rig.complete({ kubernetes: { dependencies } }))
const view = (dependencies: Declared) => kubernetesView({ ...rig.project, services: [] }, settings(dependencies), {})
const states = async (dependencies: Declared) => (await view(dependencies).dependencies?.()) ?? []
const kubectl = async (...args: string[]) => (await rig.lab.kubectl(["-n", rig.namespace, ...args])).trim()
const names = async (what: string, ...more: string[]) =>
  (await kubectl("get", what, ...more, "-o", "jsonpath={.items[*].metadata.name}")).split(" ").filter(Boolean)
const uid = (pod: string) => kubectl("get", "pod", pod, "-o", "jsonpath={.metadata.uid}")

/** As a step of the pipeline does it, of a tree with these files. */
async function bring(
  dependencies: Declared,
  files: Files = {},
  signal: AbortSignal = new AbortController().signal,
  tell: (line: string) => void = (line) => void rig.lines.push(line),
): Promise<readonly Brought[]> {
  await project.write(files)
  const brought = await bringDependencies({
    engine: rig.engine,
    project: "shop",
    environment: settings(dependencies),
    root: project.root,
    commit: "c0ffee",
    login: () => undefined,
    signal,
    tell,
    keepLog: (file, text) => Promise.resolve(void rig.logs.set(file, text)),
  })
  return brought ?? []
}

/** A pod with these labels asks Redis for so many seconds; answers its exit code's meaning. */
async function asks(
  name: string,
  host: string,
  labels: Readonly<Record<string, string>>,
  seconds = 45,
): Promise<string> {
  const spec = { ...redisPod(), restartPolicy: "Never" }
  const containers = spec.containers.map(({ readinessProbe: _, ...rest }) => ({
    ...rest,
    // The network learns of a pod a moment after it has started.
    command: ["timeout", String(seconds), "sh", "-c", `until timeout 3 redis-cli -h ${host} ping; do sleep 0.3; done`],
  }))
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name, labels }, spec: { ...spec, containers } }
  await rig.lab.kubectl(["-n", rig.namespace, "apply", "-f", "-"], { input: JSON.stringify(pod) })
  const phase = () => kubectl("get", "pod", name, "-o", "jsonpath={.status.phase}")
  await until(async () => /Succeeded|Failed/.test(await phase()), 150)
  const [answer = "nobody"] = (await phase()) === "Succeeded" ? (await kubectl("logs", name)).split("\n").slice(-1) : []
  await kubectl("delete", "pod", name, "--now")
  return answer
}
const serviceLabels = { "app.kubernetes.io/part-of": "shop", "gantry.dev/part": "instance" }

describe("a chart", () => {
  const declared: Declared = {
    mysql: { kind: "chart", path: "deploy/mysql", values: ["values.yaml"], ports: [3306] },
  }
  const files = (connections: number): Files => ({
    ...databaseChart("deploy/mysql"),
    "values.yaml": `image: ${database}\nconnections: ${connections}\n`,
  })
  const sql = async (text: string) =>
    kubectl(
      ...["exec", "mysql-0", "--", "sh", "-c"],
      `mariadb --protocol=tcp -h127.0.0.1 -uroot -p"$MARIADB_ROOT_PASSWORD" -N -e "${text}"`,
    )

  it("is brought once; what it draws by lot stays, also with other values, and so do the data", async () => {
    const [first] = await bring(declared, files(50))
    expect(first).toMatchObject({ name: "mysql", kind: "chart", changed: true, left: [] })
    await sql("CREATE DATABASE shop; CREATE TABLE shop.t (a INT); INSERT INTO shop.t VALUES (7)")
    const [password, pod] = [await kubectl("get", "secret", "mysql", "-o", "jsonpath={.data}"), await uid("mysql-0")]

    // The same again: another password is drawn, and nothing of it is applied.
    const [again] = await bring(declared, files(50))
    expect(again).toMatchObject({ changed: false, hash: first?.hash })
    expect(await uid("mysql-0")).toBe(pod)

    const [changed] = await bring(declared, files(60))
    expect(changed?.changed).toBe(true)
    expect(changed?.hash).not.toBe(first?.hash)
    expect(await uid("mysql-0")).not.toBe(pod)
    expect(await kubectl("get", "secret", "mysql", "-o", "jsonpath={.data}")).toBe(password)
    expect(await sql("SELECT a, @@max_connections FROM shop.t")).toBe("7\t60")
    expect(await states(declared)).toMatchObject([{ name: "mysql", state: "ready", declared: true, drift: [] }])
  })

  it("whoever comes after a killed process draws nothing anew, and waits for it", async () => {
    const killed = new AbortController()
    const lines: string[] = []
    const broken = bring(declared, files(50), killed.signal, (line) => {
      lines.push(line)
      // Applied, and not ready yet.
      if (line.includes("StatefulSet mysql: ")) killed.abort()
    })
    await expect(broken).rejects.toThrow()
    expect(await states(declared)).toMatchObject([{ name: "mysql", state: "started" }])
    const password = await kubectl("get", "secret", "mysql", "-o", "jsonpath={.data}")
    await bring(declared, files(50))
    expect(await kubectl("get", "secret", "mysql", "-o", "jsonpath={.data}")).toBe(password)
    expect(await sql("SELECT 1")).toBe("1")
  })

  it("of a registry comes by its digest, and by no other", async () => {
    await project.write(databaseChart("chart"))
    const packed = await packageChart(join(project.root, "chart"))
    const host = registryAddress(rig.engine.config)
    const { digest } = await pushChart(repositoryClient({ url: `http://${host}` }, "lab/charts/database"), packed, {
      replace: true,
    })
    const chart = `${host}/lab/charts/database`
    const of = (pinned: string): Declared => ({
      mysql: { kind: "oci", chart, version: "1.2.3", digest: pinned, values: ["values.yaml"] },
    })
    const other = `sha256:${"0".repeat(64)}`
    expect(await rig.failure(bring(of(other), files(50)))).toMatchObject({
      code: "DEPENDENCY-CHART",
      reason: expect.stringContaining(`its version 1.2.3 is ${digest}`) as string,
    })
    expect(await names("statefulset")).toEqual([])
    expect(await bring(of(digest), files(50))).toMatchObject([{ name: "mysql", kind: "oci", changed: true }])
    expect(await sql("SELECT 1")).toBe("1")
  })

  it("goes with its environment; data stay unless they are to go as well", async () => {
    await bring(declared, files(50))
    await view(declared).remove({ data: false })
    await until(async () => (await names("pods")).length === 0, 60)
    expect(await names("statefulset,service")).toEqual([])
    expect([await names("pvc"), await names("secret", "--field-selector=type=Opaque")]).toEqual([
      ["data-mysql-0"],
      ["mysql"],
    ])
    // It comes back with its data.
    expect(await bring(declared, files(50))).toMatchObject([{ changed: true }])
    expect(await sql("SELECT 1")).toBe("1")
    await view(declared).remove({ data: true })
    await until(async () => (await names("pvc")).length === 0, 60)
    expect(await names("secret", "--field-selector=type=Opaque")).toEqual([])
  })
})

describe("plain manifests", () => {
  const cache: Declared[string] = { kind: "manifests", path: "redis.yaml", ports: [6379] }
  const file = (options?: Parameters<typeof redis>[1]): Files => ({ "redis.yaml": yaml(...redis("cache", options)) })

  it("services reach it, and nobody else", async () => {
    await rig.lab.kubectl(["-n", rig.namespace, "apply", "-f", "-"], {
      input: JSON.stringify({
        apiVersion: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata: { name: "deny-by-default" },
        spec: { podSelector: {}, policyTypes: ["Ingress"] },
      }),
    })
    await bring({ cache }, file())
    expect(rig.lines.join("\n")).toContain(`cache: ${redisImage} is named by a tag`)
    const host = `cache.${rig.namespace}.svc`
    expect(await asks("a-service", host, serviceLabels)).toBe("PONG")
    expect(await asks("a-stranger", host, {}, 8)).toBe("nobody")
    await bring({ cache: { ...cache, services: ["web"] } }, file())
    expect(await asks("web", host, { ...serviceLabels, "app.kubernetes.io/name": "web" })).toBe("PONG")
    expect(await asks("other", host, { ...serviceLabels, "app.kubernetes.io/name": "other" }, 8)).toBe("nobody")
    await kubectl("delete", "networkpolicy", "deny-by-default")
  })

  it("an image that is not there ends the wait at once; the next one mends it", async () => {
    const error = await rig.failure(bring({ cache }, file({ image: "127.0.0.1:5000/lab/nothing:1" })))
    expect(error).toMatchObject({ code: "DEPENDENCY-BROKEN", kind: "failed" })
    expect(error.reason).toMatch(/ImagePullBackOff|ErrImagePull/)
    expect(error.hint).toContain("describe pod cache-0")
    expect(await states({ cache })).toMatchObject([{ state: "started" }])
    expect(await bring({ cache }, file())).toMatchObject([{ changed: true }])
    expect(rig.lines.join("\n")).toContain("cache: cache-0 of the declaration before cannot run")
  })

  it("a Deployment that is mended is not blamed for its pod of before, which goes when the new one is there", async () => {
    const [set, service] = redis("cache")
    const deployment = (image?: string): Files => {
      const template = { metadata: { labels: { app: "cache" } }, spec: redisPod(image) }
      const spec = { replicas: 1, selector: { matchLabels: { app: "cache" } }, template }
      return { "redis.yaml": yaml({ ...set, kind: "Deployment", spec }, { ...service }) }
    }
    const error = await rig.failure(bring({ cache }, deployment("127.0.0.1:5000/lab/nothing:1")))
    expect(error).toMatchObject({ code: "DEPENDENCY-BROKEN", kind: "failed" })
    expect(await bring({ cache }, deployment())).toMatchObject([{ changed: true }])
    expect(await states({ cache })).toMatchObject([{ state: "ready" }])
  })

  it("one that dies again and again is told with its last lines", async () => {
    const error = await rig.failure(
      bring({ cache: { ...cache, waitSeconds: 60 } }, file({ args: ["--no-such-setting", "1"] })),
    )
    expect(error.code).toMatch(/^DEPENDENCY-(NOT-READY|BROKEN)$/)
    expect(error.reason).toContain("no-such-setting")
  })

  it("what is not declared any more stays, and is told; what somebody changed by hand is shown", async () => {
    await bring({ cache }, file())
    await kubectl("label", "statefulset", "cache", "gantry.dev/dependency=mine", "--overwrite")
    const [found] = await states({})
    expect(found).toMatchObject({ name: "cache", state: "ready", declared: false })
    expect(found?.drift).toMatchObject([{ what: "StatefulSet cache", found: "mine" }])
    await kubectl("label", "statefulset", "cache", "gantry.dev/dependency=cache", "--overwrite")
    const [brought] = await bring({ cache }, { "redis.yaml": yaml(...redis("second")) })
    expect(brought?.left).toEqual(["apps/v1 StatefulSet cache", "v1 Service cache"])
    expect((await names("statefulset")).sort()).toEqual(["cache", "second"])
  })

  it("an object of a service is not taken, and nothing else is applied then", async () => {
    await rig.lab.kubectl(["-n", rig.namespace, "apply", "-f", "-"], {
      input: JSON.stringify({
        ...redis("cache")[1],
        metadata: {
          name: "cache",
          labels: { "app.kubernetes.io/managed-by": "gantry", "app.kubernetes.io/name": "catalog" },
        },
      }),
    })
    expect(await rig.failure(bring({ cache }, file()))).toMatchObject({ code: "DEPENDENCY-TAKEN" })
    expect(await names("statefulset")).toEqual([])
    await kubectl("delete", "service", "cache")
  })
})

describe("a kind of an operator", () => {
  const object = (spec: object = {}, apiVersion = kind.apiVersion) =>
    yaml({ apiVersion, kind: "Cache", metadata: { name: "cache" }, spec })
  const cache: Declared[string] = {
    kind: "manifests",
    path: "cache.yaml",
    pods: { "cache-of": "cache" },
    ports: [6379],
  }

  it("that the cluster does not know: the operator is to be installed, and nothing was changed", async () => {
    const error = await rig.failure(
      bring({ cache }, { "cache.yaml": object({}, "redis.example.com/v1") + "\n---\n" + yaml(...redis("beside")) }),
    )
    expect(error).toMatchObject({ code: "DEPENDENCY-KIND", kind: "errored" })
    expect(error.message).toContain("Cache of redis.example.com/v1")
    expect(await names("statefulset")).toEqual([])
  })

  it("whose operator does not run is told so when its time is over", async () => {
    const error = await rig.failure(bring({ cache: { ...cache, waitSeconds: 3 } }, { "cache.yaml": object() }))
    expect(error).toMatchObject({ code: "DEPENDENCY-NOT-READY", kind: "failed" })
    expect(error.reason).toContain("Cache cache: its operator has made nothing of it yet")
    expect(error.hint).toContain("Does its operator run")
  })

  it("is waited for by its conditions, or by what it declares; services reach the pods that the operator made", async () => {
    const operator = runOperator(rig.lab, kind, rig.namespace)
    try {
      const ready = [{ kind: "Cache", field: "status.phase", is: "Up" }]
      await bring({ cache: { ...cache, ready } }, { "cache.yaml": object() })
      // What its operator says in between may be too short to be seen.
      expect(rig.lines.join("\n")).toMatch(/Cache cache: status.phase is (not set|"Starting"), not "Up"/)
      expect(await states({ cache })).toMatchObject([{ name: "cache", state: "ready", trouble: [] }])
      const ip = await kubectl("get", "pod", "cache-members-0", "-o", "jsonpath={.status.podIP}")
      expect(await asks("a-service", ip, serviceLabels)).toBe("PONG")
      expect(await asks("a-stranger", ip, {}, 8)).toBe("nobody")
      // The operator's old word is not taken for the new one.
      await bring({ cache }, { "cache.yaml": object({ replicas: 2 }) })
      expect(await kubectl("get", "statefulset", "cache-members", "-o", "jsonpath={.status.readyReplicas}")).toBe("2")
    } finally {
      await operator.stop()
    }
  })

  it("that is still being deleted is waited for, and brought anew", async () => {
    const operator = runOperator(rig.lab, kind, rig.namespace)
    const resource = `caches.${kind.group}`
    const cacheUid = () => kubectl("get", resource, "cache", "-o", "jsonpath={.metadata.uid}")
    const holdBy = (finalizers: readonly string[] | null) =>
      kubectl("patch", resource, "cache", "--type=merge", "-p", JSON.stringify({ metadata: { finalizers } }))
    try {
      await bring({ cache }, { "cache.yaml": object() })
      const before = await cacheUid()
      await holdBy([`${kind.group}/data`])
      await kubectl("delete", resource, "cache", "--wait=false")
      const from = rig.lines.length
      const told = () => rig.lines.slice(from).join("\n").includes("cache: Cache cache is being deleted")
      const again = bring({ cache }, { "cache.yaml": object() })
      await Promise.race([again, until(told, 60)])
      expect(await states({ cache })).toMatchObject([{ state: "degraded" }])
      await holdBy(null)
      expect(await again).toMatchObject([{ changed: true }])
      expect(await cacheUid()).not.toBe(before)
    } finally {
      // Else its namespace would not go.
      await holdBy(null).catch(() => undefined)
      await operator.stop()
    }
  })

  it("whose operator says nothing is judged by the pods that it made", async () => {
    const operator = runOperator(rig.lab, kind, rig.namespace, { silent: true })
    try {
      const broken = bring({ cache }, { "cache.yaml": object({ image: "127.0.0.1:5000/lab/nothing:1" }) })
      expect(await rig.failure(broken)).toMatchObject({
        code: "DEPENDENCY-BROKEN",
        message: expect.stringContaining("cache-members-0") as string,
      })
      // The operator is given the time to hear of it; what keeps its StatefulSet from the next revision makes room.
      expect(await bring({ cache }, { "cache.yaml": object() })).toMatchObject([{ changed: true }])
      expect(await states({ cache })).toMatchObject([{ state: "ready" }])
    } finally {
      await operator.stop()
    }
  })
})
