import { fault } from "../../../core/errors.js"
import { registryAddress } from "../../../engine/config.js"
import type { EngineContext } from "../../../engine/context.js"
import { followStream } from "../../../engine/docker/stream.js"
import { atDigest, type Reference } from "../../../engine/image/reference.js"
import { findDigest } from "../../../engine/image/registry-api.js"
import { execIn } from "../../../engine/stack/exec.js"
import { splitTag } from "../../../engine/supply/base.js"
import { make, webRecipe } from "./images.js"
import type { WebVersion } from "./builds.js"

/**
 * Lets the node pull what is named after the stack's registry: 127.0.0.1:<port> is the node's own loopback in there, so
 * containerd is told the registry container's address, anew each time, as a restart may change it.
 * https://github.com/containerd/containerd/blob/main/docs/hosts.md
 */
export async function routeRegistry(context: EngineContext, node: string): Promise<void> {
  const name = registryAddress(context.config)
  const info = await context.docker.getContainer(`${context.config.stack}-registry`).inspect()
  const address = Object.values(info.NetworkSettings.Networks)[0]?.IPAddress
  if (address === undefined || address === "") throw unreachable("the registry's container has no address")
  const server = `http://${address}:${context.config.ports.registry}`
  const file = `server = "${server}"\n[host."${server}"]\n  capabilities = ["pull", "resolve"]\n`
  const ran = await execIn(context.docker, node, [
    "sh",
    "-c",
    'mkdir -p "/etc/containerd/certs.d/$1" && printf %s "$2" > "/etc/containerd/certs.d/$1/hosts.toml"',
    "sh",
    name,
    file,
  ])
  if (ran.exitCode !== 0) throw unreachable(ran.output)
}

const unreachable = (reason: string): Error =>
  fault({
    code: "LAB-REGISTRY",
    kind: "errored",
    message: "The lab's node cannot be told where the stack's registry is",
    reason,
    hint: "gantry stack status; npm run lab:kubernetes -- status",
  })

/**
 * The lab's test service in one of its versions, in the stack's registry: "127.0.0.1:5000/lab/web@sha256:…". It answers
 * its version and its host name on 8080.
 */
export async function webImage(context: EngineContext, version: WebVersion): Promise<string> {
  const name = await make(context, webRecipe(version))
  const target: Reference = {
    registry: registryAddress(context.config),
    repository: "lab/web",
    tag: splitTag(name)[1],
    digest: undefined,
  }
  const known = await findDigest(target, { signal: context.signal })
  if (known.kind === "found") return atDigest(target, known.digest)
  const repo = `${target.registry}/${target.repository}`
  const tag = target.tag ?? version
  await context.docker.getImage(name).tag({ repo, tag })
  const image = context.docker.getImage(`${repo}:${tag}`)
  const authconfig = { username: "", password: "", serveraddress: target.registry }
  await followStream(await image.push({ tag, authconfig }))
  await image.remove({ noprune: true })
  const pushed = await findDigest(target, { signal: context.signal })
  if (pushed.kind === "found") return atDigest(target, pushed.digest)
  throw unreachable(`${repo}:${tag} was pushed and is not there: ${pushed.kind}`)
}
