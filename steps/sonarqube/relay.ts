import { createServer, request } from "node:http"
import type { AddressInfo } from "node:net"

/**
 * Stands on loopback in front of an HTTP server, and ends each connection with its answer. Dagger's way from a container to
 * the host does not tell the container that the other end was closed (seen with 0.21.8): a client that takes up a connection again
 * which the server gave up in the meantime, SonarQube after 60 s, waits for ever. An analysis is silent for longer.
 */
export async function closingRelay(target: URL): Promise<{ readonly port: number; close(): void }> {
  const server = createServer((incoming, outgoing) => {
    outgoing.shouldKeepAlive = false
    const { host: _, connection: __, ...headers } = incoming.headers
    const onward = request(
      new URL(incoming.url ?? "/", target),
      { method: incoming.method, headers: { ...headers, host: target.host }, agent: false },
      (answer) => {
        const { connection: ___, "keep-alive": ____, ...said } = answer.headers
        outgoing.writeHead(answer.statusCode ?? 502, said)
        answer.pipe(outgoing)
        answer.on("error", () => outgoing.destroy())
      },
    )
    // Who asks finds the connection broken, as without a relay.
    onward.on("error", () => outgoing.destroy())
    outgoing.on("close", () => onward.destroy())
    incoming.pipe(onward)
  })
  // An upload lasts as long as it lasts.
  server.requestTimeout = 0
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(0, "127.0.0.1", resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
