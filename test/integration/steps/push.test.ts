import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { repositoryClient } from "../../../clients/registry/index.js"
import type { Report } from "../../../core/reports.js"
import { runArtifacts } from "../../../core/run-artifacts.js"
import { step, type Context, type Needs } from "../../../core/step.js"
import { engineConfig, ensureStack, registryAddress } from "../../../engine/index.js"
import { BuiltImage, Release, Source } from "../../../steps/outputs.js"
import { push } from "../../../steps/push/index.js"
import { ServiceDeclaration } from "../../../steps/service.js"
import type { Settings } from "../../../steps/settings.js"
import { writeImage } from "../../fakes/image.js"
import { fakeRegistry, type FakeRegistry } from "../../fakes/registry.js"
import { temporaryFolder } from "./repository.js"

const password = "robot-s3cret"
const username = "robot$heike+gantry"
const commit = "c".repeat(40)

/** The push step with an image of its own, as the scheduler would run it. */
async function pushStep(options: {
  readonly registry?: FakeRegistry
  readonly project?: string
  readonly dirty?: boolean
}) {
  const harbor =
    options.registry === undefined
      ? {}
      : {
          registry: {
            harbor: { url: options.registry.url, project: "heike", username, passwordEnv: "HARBOR_PASSWORD" },
          },
        }
  const engine = engineConfig.parse(harbor)
  const service = {
    ...ServiceDeclaration.parse({ name: "catalog", toolchain: { image: "x" }, build: {}, tests: {}, health: {} }),
    path: "catalog",
  }
  const settings = { project: options.project ?? "heike", engine } as Settings
  const source = step("checkout", { output: Source, run: () => Promise.reject(new Error("not here")) })
  const image = step("catalog.image", { output: BuiltImage, run: () => Promise.reject(new Error("not here")) })
  const pushed = push(settings, service, { source, image })

  const dir = await temporaryFolder()
  await mkdir(join(dir, "objects"), { recursive: true })
  const file = join(dir, "built.tar")
  const digest = await writeImage(file, { layers: [30_000, 2000] })
  const artifacts = runArtifacts({ storeRoot: dir, runDir: dir, step: "catalog.image", kept: () => undefined })
  const archive = await artifacts.put("image.tar", { file })
  const lines: string[] = []
  const reports: Report[] = []
  const log = {
    info: (l: string) => lines.push(l),
    warn: (l: string) => lines.push(`warning: ${l}`),
    write: () => undefined,
  }
  const context = {
    run: { id: "r", pipeline: "delivery", dir, project: dir, commit, dirty: options.dirty ?? false },
    step: pushed.id,
    attempt: 1,
    needs: {
      source: { commit, tree: "t".repeat(40), dirty: options.dirty ?? false },
      image: { service: "catalog", digest, archive, size: 302_000, labels: {} },
    },
    secrets: { HARBOR_PASSWORD: { name: "HARBOR_PASSWORD", plaintext: () => password } },
    artifacts,
    log,
    publish: (report: Report) => reports.push(report),
    signal: new AbortController().signal,
  } as unknown as Context<Needs, string>
  const effect = pushed.definition.effect
  if (effect === undefined || effect.reconcile === "repeat")
    throw new Error("push is an effect that looks at the registry")
  const { reconcile } = effect
  return {
    digest,
    lines,
    reports,
    secrets: pushed.secrets,
    key: effect.key(context as never),
    run: async () => Release.parse(await pushed.definition.run(context)),
    reconcile: () => reconcile(context),
  }
}

describe("push to a registry that is configured", () => {
  it("puts the archive under the commit's tag, with the robot's credentials, and says the digest", async () => {
    const registry = await fakeRegistry({ auth: "bearer", username, password })
    const push = await pushStep({ registry })
    expect(push.secrets).toEqual(["HARBOR_PASSWORD"])
    expect(push.key).toBe(`push:${registry.host}/heike/catalog@${push.digest}`)
    const release = await push.run()
    expect(release).toEqual({
      service: "catalog",
      reference: `${registry.host}/heike/catalog@${push.digest}`,
      tag: `${registry.host}/heike/catalog:sha-${commit}`,
      digest: push.digest,
      commit,
    })
    expect(registry.manifests.has(`heike/catalog:sha-${commit}`)).toBe(true)
    expect(push.reports).toMatchObject([{ kind: "image", digest: push.digest, reference: release.reference }])
    expect(push.lines.join("\n")).not.toContain(password)
  })

  it("knows after a crash whether it had taken place", async () => {
    const registry = await fakeRegistry({ auth: "bearer", username, password })
    const push = await pushStep({ registry })
    expect(await push.reconcile()).toBeUndefined()
    const release = await push.run()
    registry.requests.length = 0
    expect(await push.reconcile()).toEqual(release)
    expect(registry.requests.every((request) => /^(HEAD|GET)/.test(request))).toBe(true)
  })

  it("never moves the tag of a commit, but that of a dirty work tree", async () => {
    const registry = await fakeRegistry({ auth: "bearer", username, password })
    await (await pushStep({ registry })).run()
    const second = await pushStep({ registry })
    await expect(second.run()).rejects.toMatchObject({ code: "PUSH-TAG-TAKEN", kind: "failed" })
    await (await pushStep({ registry, dirty: true })).run()
    const dirty = await pushStep({ registry, dirty: true })
    expect((await dirty.run()).tag).toContain(`:dirty-${"t".repeat(40)}`)
  })
})

describe("push to the stack's own registry", () => {
  it("is what a client reads back, and a second push sends nothing", async () => {
    const engine = engineConfig.parse({})
    await ensureStack(engine, ["registry"])
    const project = "gantry-test"
    const push = await pushStep({ project })
    const release = await push.run()
    expect(release.reference).toBe(`${registryAddress(engine)}/${project}/catalog@${push.digest}`)
    const client = repositoryClient({ url: `http://${registryAddress(engine)}` }, `${project}/catalog`)
    expect((await client.manifest(`sha-${commit}`))?.digest).toBe(push.digest)
    expect(await push.reconcile()).toEqual(release)
    push.lines.length = 0
    await push.run()
    expect(push.lines.filter((line) => line.includes("sent"))).toEqual([])
  })

  it("tells a blob with wrong bytes from a network error", async () => {
    const engine = engineConfig.parse({})
    const client = repositoryClient({ url: `http://${registryAddress(engine)}` }, "gantry-test/wrong")
    const blob = { mediaType: "x", digest: `sha256:${"0".repeat(64)}`, size: 3 }
    const open = () => new Blob(["abc"]).stream()
    await expect(client.uploadBlob(blob, open)).rejects.toMatchObject({ code: "REGISTRY-REFUSED" })
    expect(await client.hasBlob(blob)).toBe(false)
  })
})
