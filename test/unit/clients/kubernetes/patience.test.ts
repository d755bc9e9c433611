import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it, onTestFinished } from "vitest"
import { kubeCluster } from "../../../../clients/kubernetes/index.js"

/** An API server that answers changes of ConfigMaps in turn with these; the last one stays. */
async function apiServer(...answers: readonly { readonly status: number; readonly message: string }[]) {
  let asked = 0
  const server = createServer((request, response) => {
    response.setHeader("content-type", "application/json")
    if (request.method === "GET") {
      const resources = [{ name: "configmaps", kind: "ConfigMap", namespaced: true }]
      return response.end(JSON.stringify({ kind: "APIResourceList", groupVersion: "v1", resources }))
    }
    const { status, message } = answers[Math.min(asked++, answers.length - 1)]!
    response.statusCode = status
    response.end(JSON.stringify(status < 300 ? { kind: "ConfigMap" } : { kind: "Status", code: status, message }))
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const folder = await mkdtemp(join(tmpdir(), "gantry-api-"))
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await rm(folder, { recursive: true })
  })
  const kubeconfig = join(folder, "config")
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const config = {
    apiVersion: "v1",
    kind: "Config",
    // Without it the library wants TLS.
    clusters: [{ name: "c", cluster: { server: at, "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user: {} }],
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    "current-context": "c",
  }
  await writeFile(kubeconfig, JSON.stringify(config))
  const told: string[] = []
  const cluster = kubeCluster({ kubeconfig, patienceSeconds: 1, tell: (line) => void told.push(line) })
  const change = () => cluster.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "one", namespace: "n" } })
  return { change, told, asked: () => asked }
}

const unasked = { status: 500, message: 'Internal error occurred: failed calling webhook "w.example.com": refused' }

it("a webhook that says no has answered, whatever status it chose", async () => {
  const api = await apiServer({ status: 503, message: 'admission webhook "w.example.com" denied the request: no' })
  await expect(api.change()).rejects.toMatchObject({ code: "K8S-DENIED" })
  expect([api.asked(), api.told]).toEqual([1, []])
})

it("a webhook that cannot be asked is waited for by its name, and told when it stays away", async () => {
  const api = await apiServer(unasked)
  await expect(api.change()).rejects.toMatchObject({ code: "K8S-WEBHOOK", kind: "errored" })
  expect(api.told).toEqual([
    `the admission webhook w.example.com does not answer (status 500: ${unasked.message}); it is waited for`,
  ])
})

it("one that comes back has the change made", async () => {
  const api = await apiServer(unasked, { status: 200, message: "" })
  await expect(api.change()).resolves.toMatchObject({ kind: "ConfigMap" })
  expect(api.told.at(-1)).toBe("the admission webhook w.example.com answers again")
})
