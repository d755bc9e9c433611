import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer, type IncomingMessage, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import type { KubeObject } from "../../clients/kubernetes/index.js"

/** A server that answers as an API server would, gone when the test is. @returns path of a kubeconfig for it */
export async function serveKube(listener: RequestListener): Promise<string> {
  const server = createServer((request, response) => {
    response.setHeader("content-type", "application/json")
    listener(request, response)
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
  return kubeconfig
}

/** Objects by their path below the server, as an API server keeps them. */
export interface KubeApi {
  readonly kubeconfig: string
  readonly objects: Map<string, KubeObject>
}

const served: Readonly<Record<string, readonly (readonly [name: string, kind: string])[]>> = {
  "/api/v1": [
    ["configmaps", "ConfigMap"],
    ["services", "Service"],
  ],
  "/apis/coordination.k8s.io/v1": [["leases", "Lease"]],
}

/** An API server of a few kinds that keeps what it is told, in memory. */
export async function kubeApi(): Promise<KubeApi> {
  const objects = new Map<string, KubeObject>()
  let version = 0
  const keep = (path: string, object: KubeObject) => {
    const metadata = { ...object.metadata, uid: path, resourceVersion: String(++version) }
    objects.set(path, { ...object, metadata })
    return [200, objects.get(path)] as const
  }
  const said = (code: number) => [code, { kind: "Status", code, message: `status ${code}` }] as const
  const answer = async (request: IncomingMessage): Promise<readonly [status: number, body: unknown]> => {
    const path = (request.url ?? "").split("?")[0] ?? ""
    const resources = served[path]?.map(([name, kind]) => ({ name, kind, namespaced: true }))
    if (resources !== undefined) return [200, { kind: "APIResourceList", resources }]
    const there = objects.get(path)
    switch (request.method) {
      case "POST": {
        const object = (await json(request)) as KubeObject
        const own = `${path}/${object.metadata.name}`
        return objects.has(own) ? said(409) : keep(own, object)
      }
      case "PUT": {
        const object = (await json(request)) as KubeObject
        if (there === undefined) return said(404)
        return object.metadata.resourceVersion === there.metadata.resourceVersion ? keep(path, object) : said(409)
      }
      case "DELETE":
        return objects.delete(path) ? [200, {}] : said(404)
      default:
        return there === undefined ? said(404) : [200, there]
    }
  }
  const kubeconfig = await serveKube((request, response) => {
    void answer(request).then(([status, body]) => {
      response.statusCode = status
      response.end(JSON.stringify(body))
    })
  })
  return { kubeconfig, objects }
}

async function json(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown
}
