import { Agent, createServer, request, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import { expect, it, onTestFinished } from "vitest"
import { closingRelay } from "../../../../steps/sonarqube/relay.js"

/** A server that says what it was asked, and keeps connections as SonarQube does. */
async function upstream() {
  const seen: { method: string | undefined; url: string | undefined; host: string | undefined; body: string }[] = []
  const server = createServer((incoming, outgoing) => {
    void text(incoming).then((body) => {
      const { method, url, headers } = incoming
      seen.push({ method, url, host: headers.host, body })
      if (url === "/broken") outgoing.destroy()
      else outgoing.writeHead(url === "/none" ? 404 : 200, { "x-said": "yes" }).end(`${method} ${body.length}`)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), seen }
}

async function relayed() {
  const { url, seen } = await upstream()
  const relay = await closingRelay(url)
  onTestFinished(() => relay.close())
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  const ask = (path: string, body = "") =>
    new Promise<{ answer: IncomingMessage; said: string; reused: boolean }>((resolve, reject) => {
      const asked = request(
        { agent, host: "127.0.0.1", port: relay.port, path, method: body === "" ? "GET" : "POST" },
        (answer) => void text(answer).then((said) => resolve({ answer, said, reused: asked.reusedSocket }), reject),
      )
      asked.on("error", reject)
      asked.end(body)
    })
  return { ask, seen, url }
}

it("hands on what is asked and answered, and lets no connection be used twice", async () => {
  const { ask, seen, url } = await relayed()
  const first = await ask("/api/ce/submit?x=1", "r".repeat(300_000))
  expect(first).toMatchObject({ said: "POST 300000", reused: false })
  expect(first.answer.headers).toMatchObject({ "x-said": "yes", connection: "close" })
  const second = await ask("/none")
  expect(second.answer.statusCode).toBe(404)
  expect(second.reused).toBe(false)
  expect(seen.map((one) => [one.method, one.url, one.host])).toEqual([
    ["POST", "/api/ce/submit?x=1", url.host],
    ["GET", "/none", url.host],
  ])
})

it("breaks where the server breaks", async () => {
  const { ask } = await relayed()
  await expect(ask("/broken")).rejects.toMatchObject({ code: "ECONNRESET" })
})
