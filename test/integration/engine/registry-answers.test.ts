import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { onTestFinished, describe, expect, it } from "vitest"
import { engineConfig, resolveImage } from "../../../engine/index.js"
import { findDigest } from "../../../engine/image/registry-api.js"
import { engineContext } from "../../../engine/context.js"
import { findOrigin } from "../../../engine/image/find.js"
import { freePort, recordingProgress, temporaryFolder } from "./rig.js"

const digest = `sha256:${"d".repeat(64)}`
const reference = (host: string) => ({ registry: host, repository: "library/x", tag: "1", digest: undefined })

/** A registry that answers as the test says, over a real socket. */
async function registryThat(
  answer: (request: IncomingMessage, response: ServerResponse, count: number) => void,
): Promise<{ readonly host: string; readonly seen: string[] }> {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    answer(request, response, seen.length)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

const found = (response: ServerResponse): void => {
  response.writeHead(200, { "docker-content-digest": digest }).end()
}

describe("what a registry may answer", () => {
  it("500 is asked again, and may become right", async () => {
    const registry = await registryThat((_request, response, count) =>
      count < 3 ? response.writeHead(500).end() : found(response),
    )
    await expect(findDigest(reference(registry.host), { backoffMs: 1 })).resolves.toEqual({ kind: "found", digest })
    expect(registry.seen).toHaveLength(3)
  })

  it("500 that stays is errored, after four attempts", async () => {
    const registry = await registryThat((_request, response) => response.writeHead(503).end())
    const answer = await findDigest(reference(registry.host), { backoffMs: 1 })
    expect(answer).toEqual({ kind: "broken", reason: "HTTP 503, 4 times" })
    expect(registry.seen).toHaveLength(4)
  })

  it("429 is asked again when Retry-After says", async () => {
    const times: number[] = []
    const registry = await registryThat((_request, response, count) => {
      times.push(Date.now())
      if (count === 1) response.writeHead(429, { "retry-after": "1" }).end()
      else found(response)
    })
    const told: string[] = []
    const answer = await findDigest(reference(registry.host), { backoffMs: 60_000, onRetry: (text) => told.push(text) })
    expect(answer.kind).toBe("found")
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(990)
    expect(told).toEqual([`${registry.host} answers HTTP 429; again in 1.0 s`])
  })

  it("a token is fetched where it is asked for, with the credentials", async () => {
    const registry = await registryThat((request, response) => {
      const url = new URL(request.url ?? "", "http://x")
      if (url.pathname === "/token") {
        expect(request.headers.authorization).toBe(`Basic ${Buffer.from("me:word").toString("base64")}`)
        expect(url.searchParams.get("scope")).toBe("repository:library/x:pull")
        response.end(JSON.stringify({ token: "abc" }))
      } else if (request.headers.authorization === "Bearer abc") found(response)
      else {
        const realm = `http://${request.headers.host ?? ""}/token`
        response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}",service="s"` }).end()
      }
    })
    const credentials = { username: "me", password: "word" }
    await expect(findDigest(reference(registry.host), { credentials })).resolves.toEqual({ kind: "found", digest })
  })

  it.each<[string, number, string]>([
    ["404 is missing", 404, "missing"],
    ["403 is denied", 403, "denied"],
    ["418 is no registry", 418, "unreachable"],
  ])("%s", async (_name, status, kind) => {
    const registry = await registryThat((_request, response) => response.writeHead(status).end())
    await expect(findDigest(reference(registry.host))).resolves.toMatchObject({ kind })
    expect(registry.seen.length).toBeLessThanOrEqual(2)
  })

  it("silence is unreachable, within the time given", async () => {
    const registry = await registryThat(() => {
      // Never answers.
    })
    const started = Date.now()
    await expect(findDigest(reference(registry.host), { timeoutMs: 200 })).resolves.toMatchObject({
      kind: "unreachable",
    })
    expect(Date.now() - started).toBeLessThan(20_000)
  })
})

describe("a mirror that is configured", () => {
  const config = async (host: string, supply: "auto" | "images" = "auto") =>
    engineConfig.parse({ home: await temporaryFolder(), supply, mirrors: { "docker.io": `${host}/hub` } })

  it("is asked for the rewritten name, and its digest is remembered", async () => {
    const registry = await registryThat((_request, response) => found(response))
    const { progress, lines } = recordingProgress()
    const context = engineContext(await config(registry.host), { progress })
    const expected = { source: "mirror", reference: `${registry.host}/hub/library/haproxy@${digest}` }
    await expect(findOrigin(context, "haproxy:3.0")).resolves.toEqual(expected)
    await expect(findOrigin(context, "docker.io/library/haproxy:3.0")).resolves.toEqual(expected)
    expect(registry.seen).toEqual(["HEAD /v2/hub/library/haproxy/manifests/3.0"])
    expect(lines[0]).toBe(`Looking up ${registry.host}/hub/library/haproxy:3.0`)
  })

  it("that stays broken is errored, and nothing else is taken instead", async () => {
    const registry = await registryThat((_request, response) => response.writeHead(429, { "retry-after": "0" }).end())
    await expect(resolveImage(await config(registry.host), "haproxy:3.0")).rejects.toMatchObject({
      code: "SUPPLY-REGISTRY",
      kind: "errored",
      reason: "HTTP 429, 4 times",
    })
  })

  it("that does not answer is errored, with what to do", async () => {
    await expect(resolveImage(await config(`127.0.0.1:${await freePort()}`), "haproxy:3.0")).rejects.toMatchObject({
      code: "SUPPLY-MIRROR",
      kind: "errored",
      hint: expect.stringContaining("mirrors") as string,
    })
  })

  it("that refuses is errored, with docker login", async () => {
    const registry = await registryThat((_request, response) => response.writeHead(403).end())
    await expect(resolveImage(await config(registry.host), "haproxy:3.0")).rejects.toMatchObject({
      code: "SUPPLY-REGISTRY-DENIED",
      hint: `docker login ${registry.host}`,
    })
  })

  it("that has not got it: packages with supply auto, else a fault that lists what can be made", async () => {
    const registry = await registryThat((_request, response) => response.writeHead(404).end())
    const auto = engineContext(await config(registry.host))
    await expect(findOrigin(auto, "haproxy:3.0")).resolves.toMatchObject({ source: "packages" })
    await expect(findOrigin(auto, "postgres:17")).rejects.toMatchObject({
      code: "SUPPLY-NO-IMAGE",
      reason: expect.stringContaining("docker.io/library/haproxy:3.0") as string,
    })
    const images = engineContext(await config(registry.host, "images"))
    await expect(findOrigin(images, "haproxy:3.0")).rejects.toMatchObject({ code: "SUPPLY-NO-IMAGE" })
  })
})

describe("a public registry", () => {
  it("that does not answer is not asked again for a while", async () => {
    const home = await temporaryFolder()
    const config = engineConfig.parse({ home })
    const { progress, lines } = recordingProgress()
    const host = `127.0.0.1:${await freePort()}`
    const context = engineContext(config, { progress })
    for (const name of ["a", "b"]) {
      await expect(findOrigin(context, `${host}/team/${name}:1`)).rejects.toMatchObject({ code: "SUPPLY-NO-IMAGE" })
    }
    expect(lines.filter((line) => !line.includes(": done"))).toEqual([`Looking up ${host}/team/a:1`])
  })

  it("is not asked with supply packages", async () => {
    const context = engineContext(engineConfig.parse({ home: await temporaryFolder(), supply: "packages" }))
    await expect(findOrigin(context, "haproxy:3.0")).resolves.toMatchObject({ source: "packages" })
    await expect(findOrigin(context, "postgres:17")).rejects.toMatchObject({ code: "SUPPLY-NO-IMAGE" })
  })

  it("a name that is none is the caller's mistake", async () => {
    await expect(resolveImage(engineConfig.parse({}), "No Such:Image!")).rejects.toMatchObject({
      code: "CONFIG-IMAGE",
      kind: "usage",
    })
  })
})
