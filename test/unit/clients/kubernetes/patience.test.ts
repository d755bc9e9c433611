import { expect, it } from "vitest"
import { kubeCluster, type ClusterOptions } from "../../../../clients/kubernetes/index.js"
import { serveKube } from "../../../fakes/kube-api.js"

interface Answer {
  readonly status: number
  readonly message: string
}

/** An API server that answers changes of ConfigMaps in turn with these; the last one stays. */
async function apiServer(
  answers: readonly Answer[],
  options: Pick<ClusterOptions, "interrupt" | "patienceSeconds"> = {},
) {
  let asked = 0
  const kubeconfig = await serveKube((request, response) => {
    if (request.method === "GET") {
      const resources = [{ name: "configmaps", kind: "ConfigMap", namespaced: true }]
      return response.end(JSON.stringify({ kind: "APIResourceList", groupVersion: "v1", resources }))
    }
    const { status, message } = answers[Math.min(asked++, answers.length - 1)]!
    response.statusCode = status
    response.end(JSON.stringify(status < 300 ? { kind: "ConfigMap" } : { kind: "Status", code: status, message }))
  })
  const told: string[] = []
  const cluster = kubeCluster({ kubeconfig, patienceSeconds: 1, ...options, tell: (line) => void told.push(line) })
  const change = () => cluster.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "one", namespace: "n" } })
  const patch = (resourceVersion?: string) =>
    cluster.patch(
      { apiVersion: "v1", kind: "ConfigMap", namespace: "n", name: "one" },
      resourceVersion === undefined ? {} : { metadata: { resourceVersion } },
    )
  return { change, patch, told, asked: () => asked }
}

const unasked = { status: 500, message: 'Internal error occurred: failed calling webhook "w.example.com": refused' }

it("a webhook that says no has answered, whatever status it chose", async () => {
  const api = await apiServer([{ status: 503, message: 'admission webhook "w.example.com" denied the request: no' }])
  await expect(api.change()).rejects.toMatchObject({ code: "K8S-DENIED" })
  expect([api.asked(), api.told]).toEqual([1, []])
})

it("a webhook that cannot be asked is waited for by its name, and told when it stays away", async () => {
  const api = await apiServer([unasked])
  await expect(api.change()).rejects.toMatchObject({ code: "K8S-WEBHOOK", kind: "errored" })
  expect(api.told).toEqual([
    `the admission webhook w.example.com does not answer (status 500: ${unasked.message}); it is waited for`,
  ])
})

it("one that comes back has the change made", async () => {
  const api = await apiServer([unasked, { status: 200, message: "" }])
  await expect(api.change()).resolves.toMatchObject({ kind: "ConfigMap" })
  expect(api.told.at(-1)).toBe("the admission webhook w.example.com answers again")
})

const silent = { status: 503, message: "the server is starting" }
const good = { status: 200, message: "" }

it("whoever waits for a server that does not answer waits no longer when interrupted; what is asked later is waited for", async () => {
  const interrupted = new AbortController()
  const reason = new Error("interrupted")
  const api = await apiServer([silent, silent, good], { interrupt: interrupted.signal, patienceSeconds: 60 })
  const waiting = api.change()
  await expect.poll(() => api.asked()).toBe(1)
  interrupted.abort(reason)
  await expect(waiting).rejects.toBe(reason)
  await expect(api.change()).resolves.toMatchObject({ kind: "ConfigMap" })
  expect(api.asked()).toBe(3)
})

it("a patch of an object as it was looked at is none when that has changed; any other is told as refused", async () => {
  const api = await apiServer([{ status: 409, message: "the object has been modified" }])
  expect(await api.patch("7")).toBeUndefined()
  await expect(api.patch()).rejects.toMatchObject({ code: "K8S-REFUSED" })
})
