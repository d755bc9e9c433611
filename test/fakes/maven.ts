import { createReadStream, existsSync, statSync } from "node:fs"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"

export interface FakeMaven {
  readonly url: string
  /** `settings.xml` whose one mirror of everything is this repository. */
  readonly settings: string
  /** Paths of every request with the right login, in order: Maven asks without one first. */
  readonly requests: string[]
  /** How a path is answered; others are files of the repository on disk. */
  answer(path: string, how: (request: IncomingMessage, response: ServerResponse) => void): void
  close(): void
}

/**
 * A Maven repository over a real socket that stands in for a company's mirror: it has what lies in `folder` (a local
 * repository is laid out like a remote one), and what a test tells it to answer. It wants a login when it is given one;
 * its settings then take the password from the variable named.
 */
export async function fakeMaven(
  folder: string,
  login?: { readonly username: string; readonly password: string; readonly variable: string },
): Promise<FakeMaven> {
  const requests: string[] = []
  const answers = new Map<string, (request: IncomingMessage, response: ServerResponse) => void>()
  const expected = login && `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}`
  let url = ""
  const server = createServer((request, response) => {
    // A proxy is asked with the whole address.
    const path = new URL(request.url ?? "", url).pathname
    if (expected !== undefined && request.headers.authorization !== expected) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="company"' }).end()
      return
    }
    requests.push(path)
    const answer = answers.get(path)
    const file = join(folder, path)
    if (answer !== undefined) answer(request, response)
    else if (existsSync(file) && statSync(file).isFile()) createReadStream(file).pipe(response)
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const servers =
    login === undefined
      ? ""
      : `<servers><server><id>company</id><username>${login.username}</username><password>\${env.${login.variable}}</password></server></servers>`
  return {
    url,
    settings: `<settings>${servers}<mirrors><mirror><id>company</id><mirrorOf>*</mirrorOf><url>${url}</url></mirror></mirrors></settings>`,
    requests,
    answer: (path, how) => void answers.set(path, how),
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
