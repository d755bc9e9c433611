import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { engineConfig } from "../../../engine/config.js"
import { dockerClient } from "../../../engine/docker/client.js"
import { followStream } from "../../../engine/docker/stream.js"
import { ensureLab, type Lab } from "../../lab/kubernetes/index.js"
import { answer, nodePortOf, space, web, type Space } from "../cluster.js"

let lab: Lab
const spaces: Space[] = []
const newSpace = async (labels?: Record<string, string>): Promise<Space> => {
  const made = await space(lab, labels)
  spaces.push(made)
  return made
}
const soon = { timeout: 60_000, interval: 250 }
const rolledOut = (inner: Space, name: string) =>
  inner.kubectl("rollout", "status", `deployment/${name}`, "--timeout=240s")
/** What a pod of a Deployment gets from an address, or why it gets nothing. */
const inside = (inner: Space, name: string, url: string) =>
  inner.kubectl("exec", `deployment/${name}`, "--", "/web", "get", url).then(
    (text) => text.trim(),
    (error: Error & { reason?: string }) => `failed: ${error.reason}`,
  )

beforeAll(async () => {
  lab = await ensureLab()
})
afterAll(async () => {
  await Promise.all(spaces.map((made) => made.remove()))
})

describe("the lab's cluster", () => {
  test("has a ready node of the pinned version, and is taken up again at once", async () => {
    const nodes = JSON.parse(await lab.kubectl(["get", "nodes", "-o", "json"])) as {
      items: { status: { nodeInfo: { kubeletVersion: string }; conditions: { type: string; status: string }[] } }[]
    }
    expect(nodes.items).toHaveLength(1)
    expect(nodes.items[0]?.status.nodeInfo.kubeletVersion).toBe("v1.34.4")
    expect(nodes.items[0]?.status.conditions.find(({ type }) => type === "Ready")?.status).toBe("True")
    const id = async () => (await dockerClient(engineConfig.parse({})).getContainer(lab.name).inspect()).Id
    const before = await id()
    expect((await ensureLab()).kubeconfig).toBe(lab.kubeconfig)
    expect(await id()).toBe(before)
  })

  test("runs an image by digest from the stack's registry, and answers on 127.0.0.1 at its NodePort", async () => {
    const image = await lab.webImage("v1")
    expect(image).toMatch(/^127\.0\.0\.1:\d+\/lab\/web@sha256:[0-9a-f]{64}$/)
    const inner = await newSpace()
    await inner.apply(...web("web", image, { replicas: 2, nodePort: true }))
    await rolledOut(inner, "web")
    const url = await nodePortOf(inner, "web")
    await expect.poll(() => answer(url), soon).toMatch(/^200 v1 web-/)
    expect(await inside(inner, "web", "http://web/")).toMatch(/^v1 web-/)
  })

  test("runs an image that no registry has, under the name it was imported by", async () => {
    const docker = dockerClient(engineConfig.parse({}))
    const name = "example.invalid/imported/web:1"
    const image = await lab.webImage("v2")
    await followStream(await docker.pull(image))
    await docker.getImage(image).tag({ repo: "example.invalid/imported/web", tag: "1" })
    try {
      await lab.importImage(name)
    } finally {
      await docker.getImage(name).remove()
    }
    const inner = await newSpace()
    await inner.apply(...web("imported", name))
    await rolledOut(inner, "imported")
    expect(await inside(inner, "imported", "http://127.0.0.1:8080/")).toMatch(/^v2 imported-/)
  })

  test("stops traffic between pods where a NetworkPolicy denies it, and neither probes nor NodePorts", async () => {
    const inner = await newSpace()
    const image = await lab.webImage("v1")
    await inner.apply(...web("server", image, { nodePort: true }), ...web("client", image))
    await Promise.all([rolledOut(inner, "server"), rolledOut(inner, "client")])
    await expect.poll(() => inside(inner, "client", "http://server/"), soon).toMatch(/^v1 server-/)
    const address = await inner.kubectl("get", "pod", "-l", "app=server", "-o", "jsonpath={.items[0].status.podIP}")
    const policy = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" }
    const selected = { podSelector: { matchLabels: { app: "server" } }, policyTypes: ["Ingress"] }
    await inner.apply({ ...policy, metadata: { name: "deny" }, spec: selected })
    await expect.poll(() => inside(inner, "client", `http://${address}:8080/`), soon).toMatch(/^failed/)
    expect(await inside(inner, "client", "http://server/")).toMatch(/^failed/)
    const url = await nodePortOf(inner, "server")
    // A new pod becomes ready by the kubelet's probe alone.
    await inner.kubectl("rollout", "restart", "deployment/server")
    await rolledOut(inner, "server")
    await expect.poll(() => answer(url), soon).toMatch(/^200 v1 server-/)
    const allowed = { ingress: [{ from: [{ podSelector: { matchLabels: { app: "client" } } }] }] }
    await inner.apply({ ...policy, metadata: { name: "allow" }, spec: { ...selected, ...allowed } })
    await expect.poll(() => inside(inner, "client", "http://server/"), soon).toMatch(/^v1 server-/)
  })

  test("has a metrics API", async () => {
    const top = () => lab.kubectl(["top", "node", "--no-headers"]).catch((error: Error) => error.message)
    await expect.poll(top, { timeout: 120_000, interval: 1000 }).toMatch(/\d+m .*\d+Mi/)
  })

  test("shares traffic by an HTTPRoute's weights", async () => {
    const inner = await newSpace()
    const [v1, v2] = await Promise.all([lab.webImage("v1"), lab.webImage("v2")])
    const port = lab.gateway.ports.last
    await inner.apply(...web("old", v1), ...web("new", v2), {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "Gateway",
      metadata: { name: "gateway" },
      spec: { gatewayClassName: lab.gateway.class, listeners: [{ name: "http", protocol: "HTTP", port }] },
    })
    const route = (old: number, fresh: number) =>
      inner.apply({
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "HTTPRoute",
        metadata: { name: "route" },
        spec: {
          parentRefs: [{ name: "gateway" }],
          rules: [
            {
              backendRefs: [
                { name: "old", port: 80, weight: old },
                { name: "new", port: 80, weight: fresh },
              ],
            },
          ],
        },
      })
    await Promise.all([route(80, 20), rolledOut(inner, "old"), rolledOut(inner, "new")])
    const url = `http://127.0.0.1:${port}/`
    await expect.poll(() => shares(url, 10), soon).toEqual({ v1: 8, v2: 2 })
    await route(0, 100)
    await expect.poll(() => shares(url, 10), soon).toEqual({ v2: 10 })
    expect(await (await fetch(lab.gateway.metrics)).text()).toMatch(/traefik_service_requests_total\{[^}]*new/)
  })

  test("shares traffic by ingress-nginx's canary annotations", async () => {
    const inner = await newSpace()
    const [v1, v2] = await Promise.all([lab.webImage("v1"), lab.webImage("v2")])
    const host = `${inner.name}.example`
    const ingress = (name: string, annotations: Record<string, string>) => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name, annotations },
      spec: {
        ingressClassName: lab.ingress.class,
        rules: [
          {
            host,
            http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name, port: { number: 80 } } } }] },
          },
        ],
      },
    })
    const canary = (weight: number) =>
      ingress("new", {
        "nginx.ingress.kubernetes.io/canary": "true",
        "nginx.ingress.kubernetes.io/canary-weight": String(weight),
      })
    await inner.apply(...web("old", v1), ...web("new", v2), ingress("old", {}), canary(30))
    await Promise.all([rolledOut(inner, "old"), rolledOut(inner, "new")])
    const url = `http://127.0.0.1:${lab.ingress.port}/`
    await expect.poll(() => shares(url, 10, host), soon).toEqual({ v1: 7, v2: 3 })
    await inner.apply(canary(100))
    await expect.poll(() => shares(url, 10, host), soon).toEqual({ v2: 10 })
  })

  test("refuses a pod that Pod Security restricted does not allow", async () => {
    const inner = await newSpace({ "pod-security.kubernetes.io/enforce": "restricted" })
    const image = await lab.webImage("v1")
    await expect(inner.kubectl("run", "bad", `--image=${image}`)).rejects.toMatchObject({
      reason: expect.stringContaining('violates PodSecurity "restricted'),
    })
    await inner.apply(...web("good", image))
    await rolledOut(inner, "good")
  })

  test("binds a claim of the default class, and what was written outlives the pod", async () => {
    const inner = await newSpace({ "pod-security.kubernetes.io/enforce": "restricted" })
    await inner.apply(
      {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: "data" },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "10Mi" } } },
      },
      ...web("keeper", await lab.webImage("v1"), { claim: "data" }),
    )
    await rolledOut(inner, "keeper")
    expect(await inner.kubectl("get", "pvc", "data", "-o", "jsonpath={.status.phase}")).toBe("Bound")
    await inside(inner, "keeper", "http://127.0.0.1:8080/append")
    await inner.kubectl("delete", "pod", "-l", "app=keeper")
    await rolledOut(inner, "keeper")
    expect(await inside(inner, "keeper", "http://127.0.0.1:8080/file?p=/data/log")).toMatch(/^v1 keeper-/)
  })

  test("has the official kubectl image under its public name", async () => {
    const inner = await newSpace()
    await inner.kubectl(
      "run",
      "client",
      "--image=registry.k8s.io/kubectl:v1.34.4",
      "--restart=Never",
      "--",
      "version",
      "--client",
    )
    await inner.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/client", "--timeout=60s")
    expect(await inner.kubectl("logs", "client")).toContain("Client Version: v1.34.4")
  })

  test("loses its API server and gets it back, with the pods running on", async () => {
    const inner = await newSpace()
    await inner.apply(...web("steady", await lab.webImage("v1"), { nodePort: true }))
    await rolledOut(inner, "steady")
    const url = await nodePortOf(inner, "steady")
    await expect.poll(() => answer(url), soon).toMatch(/^200 v1/)
    await lab.stopApi()
    try {
      await expect(lab.kubectl(["get", "ns", "--request-timeout=5s"])).rejects.toMatchObject({ code: "LAB-KUBECTL" })
      expect(await answer(url)).toMatch(/^200 v1/)
    } finally {
      await lab.startApi()
    }
    // What follows the API server works again as well, each after a pause of up to a minute: a Deployment is rolled out.
    await inner.kubectl("set", "image", "deployment/steady", `web=${await lab.webImage("v2")}`)
    await rolledOut(inner, "steady")
    await expect.poll(() => answer(url), { ...soon, timeout: 180_000 }).toMatch(/^200 v2/)
  })
})

/** How often each version answered; anything but an answer counts by its own words. */
async function shares(url: string, requests: number, host?: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (let sent = 0; sent < requests; sent += 1) {
    const text = await answer(url, host)
    const version = /^200 (v\d)/.exec(text)?.[1] ?? text
    counts[version] = (counts[version] ?? 0) + 1
  }
  return counts
}
