import { execFile } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import type { RequestListener } from "node:http"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import type { Rig } from "./rig.js"

/** A server of the tests' own process that the cluster reaches, by the gateway of its container's network. */
export interface Outside {
  readonly host: string
  readonly port: number
  /** What vouches for it: base64 of its certificate, as the cluster's objects have it. */
  readonly caBundle: string
  close(): void
}

/** @param name By which it is asked besides its address, e.g. that of a Service. */
export async function outside(rig: Rig, answer: RequestListener, name?: string): Promise<Outside> {
  const { NetworkSettings } = await rig.engine.docker.getContainer(rig.lab.name).inspect()
  const host = Object.values(NetworkSettings.Networks)[0]?.Gateway ?? ""
  const { key, cert } = await certificate([`IP:${host}`, ...(name === undefined ? [] : [`DNS:${name}`])])
  const server = createServer({ key, cert }, answer)
  server.listen(0, host)
  await once(server, "listening")
  return {
    host,
    port: (server.address() as AddressInfo).port,
    caBundle: Buffer.from(cert).toString("base64"),
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** A key, and a certificate of itself for these names. */
async function certificate(names: readonly string[]): Promise<{ readonly key: string; readonly cert: string }> {
  const folder = await mkdtemp(join(tmpdir(), "gantry-outside-"))
  try {
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")]
    const subject = ["-subj", "/CN=outside", "-addext", `subjectAltName=${names.join(",")}`]
    const files = ["-nodes", "-days", "2", "-keyout", key, "-out", cert]
    await promisify(execFile)("openssl", ["req", "-x509", "-newkey", "ed25519", ...files, ...subject])
    return { key: await readFile(key, "utf8"), cert: await readFile(cert, "utf8") }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
