import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { describe, expect, it, onTestFinished } from "vitest"
import { bodyText, httpRequest } from "../../../net/http.js"
import { readText, request, type Peer } from "../../../net/retry.js"
import { closedPort } from "../../fakes/port.js"

type Answer = (request: IncomingMessage, response: ServerResponse) => void

async function server(answer: Answer): Promise<string> {
  const listening = createServer(answer)
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => {
    listening.closeAllConnections()
    listening.close()
  })
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
}

describe("httpRequest", () => {
  it("follows a redirect, and sends credentials on only within the same origin", async () => {
    const seen: (string | undefined)[] = []
    const note: Answer = (request, response) => {
      seen.push(request.headers.authorization)
      response.end("there")
    }
    const other = await server(note)
    const first = await server((request, response) => {
      if (request.url === "/same") note(request, response)
      else response.writeHead(307, { location: request.url === "/away" ? other : "/same" }).end()
    })
    const headers = { authorization: "Basic secret" }
    expect(await bodyText(await httpRequest(`${first}/away`, { headers }))).toBe("there")
    expect(await bodyText(await httpRequest(`${first}/here`, { headers }))).toBe("there")
    expect(seen).toEqual([undefined, "Basic secret"])
    expect((await httpRequest(`${first}/away`, { redirect: "manual" })).status).toBe(307)
  })

  it("throws what the network says, with its code", async () => {
    const port = await closedPort()
    await expect(httpRequest(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({
      code: "ECONNREFUSED",
      message: expect.stringContaining(String(port)) as string,
    })
    const cut = await server((request) => request.socket.destroy())
    await expect(httpRequest(cut)).rejects.toMatchObject({
      code: expect.stringMatching(/ECONNRESET|UND_ERR_SOCKET/) as string,
    })
  })

  it("gives up when no headers come in time, and at once when it is told to stop", async () => {
    const silent = await server(() => {
      // Never answers.
    })
    await expect(httpRequest(silent, { timeoutMs: 100 })).rejects.toMatchObject({
      code: "ETIMEDOUT",
      message: expect.stringMatching(/^127\.0\.0\.1:\d+ did not answer within 100 ms$/) as string,
    })
    const reason = new Error("told to stop")
    const controller = new AbortController()
    const asked = httpRequest(silent, { signal: controller.signal })
    controller.abort(reason)
    await expect(asked).rejects.toBe(reason)
  })

  it("reads no more than it was told to", async () => {
    const long = await server((_request, response) => response.end("x".repeat(1000)))
    await expect(bodyText(await httpRequest(long), 999)).rejects.toThrow("longer than 999 bytes")
    expect(await bodyText(await httpRequest(long), 1000)).toHaveLength(1000)
  })

  it("says so when the body breaks off", async () => {
    const broken = await server((_request, response) => {
      response.writeHead(200, { "content-length": 10 })
      response.write("abc", () => response.destroy())
    })
    await expect(httpRequest(broken).then((answer) => bodyText(answer))).rejects.toThrow(/closed|terminated|ECONNRESET/)
  })
})

describe("request", () => {
  const peer: Peer = { name: "The server", code: "SERVER-UNAVAILABLE", hint: "Look at it." }

  it("is tried again after an answer that is temporary, with its body", async () => {
    const bodies: string[] = []
    const busy = await server((request, response) => {
      void request.setEncoding("utf8").on("data", (text: string) => bodies.push(text))
      request.on("end", () => response.writeHead(bodies.length < 3 ? 503 : 200).end("done"))
    })
    const answer = await request(peer, busy, { method: "POST", body: "again" }, { backoff: 1 })
    expect(await readText(peer, answer)).toBe("done")
    expect(bodies).toEqual(["again", "again", "again"])
  })

  it("is a fault of the peer's code, errored, when nothing helps", async () => {
    const url = `http://127.0.0.1:${await closedPort()}/x?secret=1`
    await expect(request(peer, url, {}, { attempts: 2, backoff: 1 })).rejects.toMatchObject({
      code: "SERVER-UNAVAILABLE",
      kind: "errored",
      message: "The server cannot be used, 2 attempts",
      reason: expect.stringMatching(/ECONNREFUSED/) as string,
    })
  })
})
