import { execFile } from "node:child_process"
import { request as httpRequest } from "node:http"
import { createServer as createTlsServer } from "node:https"
import { readFile } from "node:fs/promises"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import {
  engineConfig,
  ensureStack,
  localImage,
  openSession,
  resolveImage,
  rewriteDockerfile,
  stackDown,
  stackStatus,
  withHostCa,
} from "../../../engine/index.js"
import { engineContext } from "../../../engine/context.js"
import { forgetImages } from "../../../engine/docker/forget.js"
import { followStream } from "../../../engine/docker/stream.js"
import { findOrigin } from "../../../engine/image/find.js"
import { findDigest } from "../../../engine/image/registry-api.js"
import { registry } from "../../../engine/stack/registry.js"
import { registryUrls } from "../../../net/registry/protocol.js"
import { nowhere, ownStack, recordingProgress, takeDownAfterwards, temporaryFolder } from "./rig.js"

const run = promisify(execFile)

/** A registry on loopback that stands in for the public ones: what it holds was made from packages. */
let standIn: { readonly host: string; readonly stop: () => Promise<void> }
const held = {
  "docker.io/library/debian:trixie-slim": "hub/library/debian:trixie-slim",
  "docker.io/library/registry:2": "hub/library/registry:2",
  "registry.dagger.io/engine:v0.21.8": "dagger/engine:v0.21.8",
}

beforeAll(async () => {
  const config = await ownStack({ supply: "packages" })
  const host = `127.0.0.1:${config.ports.registry}`
  await ensureStack(config, [registry.id])
  const { docker } = engineContext(config)
  for (const [reference, path] of Object.entries(held)) {
    const image = await localImage(config, reference)
    const [repo = "", tag = ""] = path.split(":")
    await docker.getImage(image.name).tag({ repo: `${host}/${repo}`, tag })
    const pushed = docker.getImage(`${host}/${path}`)
    await followStream(await pushed.push({ tag, authconfig: { username: "", password: "", serveraddress: host } }))
    await pushed.remove()
  }
  const stop = async (): Promise<void> => {
    await forgetImages(docker, host)
    await stackDown(config, { volumes: true })
  }
  standIn = { host, stop }
})
afterAll(() => standIn.stop())

const mirrors = () => ({ "docker.io": `${standIn.host}/hub`, "registry.dagger.io": `${standIn.host}/dagger` })

describe("supply from images", () => {
  it("brings up the whole way from a mirror to a container, with nothing made from packages", async () => {
    const config = await ownStack({ supply: "images", mirrors: mirrors(), home: await temporaryFolder() })
    takeDownAfterwards(config)
    const { progress, lines } = recordingProgress()
    await ensureStack(config, ["engine"], { progress })
    const states = await stackStatus(config)
    expect(states.filter((one) => one.id !== "sonarqube").map((one) => [one.id, one.state, one.source])).toEqual([
      ["registry", "running", "mirror"],
      ["engine", "running", "mirror"],
    ])
    expect(states[0]?.image).toMatch(new RegExp(`^${standIn.host}/hub/library/registry@sha256:`))

    const image = await resolveImage(config, "debian:trixie-slim", { progress })
    const session = await openSession(config, { logs: nowhere(), progress })
    try {
      expect(
        await session.dag.container().from(image.reference).withExec(["cat", "/etc/debian_version"]).stdout(),
      ).toMatch(/^13/)
    } finally {
      await session.close()
    }
    expect(image.source).toBe("mirror")
    expect(lines.filter((line) => /packages|modules/.test(line))).toEqual([])
  })

  it("an image of a mirror on loopback reaches the engine by the same digest", async () => {
    const config = await ownStack({ supply: "images", mirrors: mirrors(), home: await temporaryFolder() })
    takeDownAfterwards(config)
    const image = await resolveImage(config, "debian:trixie-slim")
    const origin = await findOrigin(engineContext(config), "debian:trixie-slim")
    const digest = /sha256:\w+/.exec(origin.source === "packages" ? "" : origin.reference)?.[0]
    expect(digest).toBeDefined()
    expect(image.reference).toBe(`127.0.0.1:${config.ports.registry}/gantry/mirror/hub/library/debian@${digest}`)
    const at = { registry: `127.0.0.1:${config.ports.registry}`, repository: "gantry/mirror/hub/library/debian" }
    expect(await findDigest({ ...at, tag: undefined, digest })).toEqual({ kind: "found", digest })
  })

  it("a Dockerfile builds in the engine from what its FROM lines were rewritten to", async () => {
    const config = await ownStack({ supply: "images", mirrors: mirrors(), home: await temporaryFolder() })
    takeDownAfterwards(config)
    const dockerfile = await rewriteDockerfile(
      "ARG V=trixie\nFROM debian:${V}-slim AS a\nRUN echo made > /x\nFROM a\n",
      (reference) => resolveImage(config, reference).then((image) => image.reference),
    )
    const session = await openSession(config, { logs: nowhere() })
    onTestFinished(() => session.close())
    const built = session.dag.directory().withNewFile("Dockerfile", dockerfile).dockerBuild()
    expect(await built.file("/x").contents()).toBe("made\n")
  })

  it("what the mirror has not got is a fault that says so", async () => {
    const config = await ownStack({ supply: "images", mirrors: mirrors(), home: await temporaryFolder() })
    await expect(resolveImage(config, "haproxy:3.0")).rejects.toMatchObject({
      code: "SUPPLY-NO-IMAGE",
      reason: expect.stringContaining(`the mirror has no ${standIn.host}/hub/library/haproxy:3.0`) as string,
    })
  })
})

describe("a private certificate authority", () => {
  /** The stand-in behind TLS, with a certificate of an authority that nobody knows. */
  async function behindTls(): Promise<{ readonly port: number; readonly ca: string }> {
    const folder = await temporaryFolder()
    const at = (name: string): string => join(folder, name)
    const openssl = (...args: string[]) => run("openssl", args)
    await openssl(
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-days",
      "2",
      "-subj",
      "/CN=Test authority",
      "-keyout",
      at("ca.key"),
      "-out",
      at("ca.pem"),
    )
    await openssl(
      "req",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-subj",
      "/CN=private-registry",
      "-addext",
      "subjectAltName=IP:127.0.0.1,DNS:private-registry",
      "-keyout",
      at("tls.key"),
      "-out",
      at("tls.csr"),
    )
    await openssl(
      "x509",
      "-req",
      "-in",
      at("tls.csr"),
      "-CA",
      at("ca.pem"),
      "-CAkey",
      at("ca.key"),
      "-CAcreateserial",
      "-days",
      "2",
      "-copy_extensions",
      "copy",
      "-out",
      at("tls.pem"),
    )
    const server = createTlsServer(
      { key: await readFile(at("tls.key")), cert: await readFile(at("tls.pem")) },
      (incoming, outgoing) => {
        const inner = httpRequest(
          `http://${standIn.host}${incoming.url}`,
          { method: incoming.method, headers: { ...incoming.headers, host: standIn.host } },
          (answer) => {
            outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
            answer.pipe(outgoing)
          },
        )
        inner.on("error", () => outgoing.destroy())
        incoming.pipe(inner)
      },
    )
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const { port } = server.address() as AddressInfo
    onTestFinished(() => forgetImages(engineContext(engineConfig.parse({})).docker, `127.0.0.1:${port}/`))
    return { port, ca: at("ca.pem") }
  }

  it("named in the configuration: its registry is asked, pulled from, and used by the engine", async () => {
    const { port, ca } = await behindTls()
    const tls = { "docker.io": `127.0.0.1:${port}/hub`, "registry.dagger.io": `127.0.0.1:${port}/dagger` }
    expect(registryUrls(`127.0.0.1:${port}`)).toContain(`https://127.0.0.1:${port}`)
    const config = await ownStack({ supply: "images", mirrors: tls, ca, home: await temporaryFolder() })
    takeDownAfterwards(config)
    const image = await resolveImage(config, "debian:trixie-slim")
    expect(image.source).toBe("mirror")
    expect((await stackStatus(config))[0]?.image).toContain(`127.0.0.1:${port}/hub/library/registry@`)

    // The same without the authority: refused, and why is said.
    const without = engineConfig.parse({ supply: "images", mirrors: tls, home: await temporaryFolder() })
    await expect(resolveImage(without, "debian:trixie-slim")).rejects.toMatchObject({
      code: "SUPPLY-MIRROR",
      reason: expect.stringMatching(/certificate|self.signed|unable to verify/i) as string,
    })
  })

  it("is trusted by what runs in the engine's containers", async () => {
    const { port, ca } = await behindTls()
    const config = await ownStack({ ca })
    takeDownAfterwards(config)
    const node = await resolveImage(config, "node:22-slim")
    const session = await openSession(config, { logs: nowhere() })
    onTestFinished(() => session.close())
    const { dag } = session
    const ask = dag
      .container()
      .from(node.reference)
      .withEnvVariable("ONCE", config.stack)
      .withServiceBinding("private-registry", dag.host().service([{ frontend: port, backend: port }]))
    const command = [
      "node",
      "-e",
      `fetch("https://private-registry:${port}/v2/").then((r) => console.log("status", r.status), (e) => console.log("refused", e.cause.code))`,
    ]
    expect(await withHostCa(ask, dag, config).withExec(command).stdout()).toBe("status 200\n")
    expect(await ask.withExec(command).stdout()).toMatch(/^refused /)
  })
})
