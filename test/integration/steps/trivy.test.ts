import { createHash, randomUUID } from "node:crypto"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { crc32, gzipSync } from "node:zlib"
import { pack } from "tar-stream"
import { describe, expect, it } from "vitest"
import type { FindingsReport } from "../../../core/reports.js"
import type { BuiltImage } from "../../../steps/outputs.js"
import { trivyInContainer } from "../../../steps/trivy/container.js"
import { parseExceptions } from "../../../steps/trivy/exceptions.js"
import { scanPolicy, type ScanPolicyInput } from "../../../steps/trivy/policy.js"
import { scanImage } from "../../../steps/trivy/scan.js"
import { registryAddress, resolveImage, type EngineConfigInput } from "../../../engine/index.js"
import { subsetFolder, trivyReference } from "../../../engine/trivy-version.js"
import { engine, realSession, stepContext } from "./engine.js"
import { temporaryFolder, temporaryRepository } from "./repository.js"

const session = realSession()
const now = new Date("2026-11-23T15:00:00Z")

async function tar(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const archive = pack()
  for (const [name, content] of Object.entries(files)) archive.entry({ name, mtime: new Date(0) }, content)
  archive.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of archive as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** An OCI archive of one layer, as the image build exports it. */
async function ociArchive(files: Readonly<Record<string, string | Buffer>>, config: Record<string, unknown> = {}) {
  const blobs: Record<string, Buffer> = {}
  const blob = (content: Buffer, mediaType: string) => {
    const hex = createHash("sha256").update(content).digest("hex")
    blobs[`blobs/sha256/${hex}`] = content
    return { mediaType, digest: `sha256:${hex}`, size: content.length }
  }
  const json = (value: unknown) => Buffer.from(JSON.stringify(value))
  const layer = await tar(files)
  const manifest = blob(
    json({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: blob(
        json({
          architecture: "amd64",
          os: "linux",
          config: { User: "node", ...config },
          rootfs: { type: "layers", diff_ids: [`sha256:${createHash("sha256").update(layer).digest("hex")}`] },
          history: [{ created: "2026-01-01T00:00:00Z", created_by: "COPY . /app" }],
        }),
        "application/vnd.oci.image.config.v1+json",
      ),
      layers: [blob(gzipSync(layer), "application/vnd.oci.image.layer.v1.tar+gzip")],
    }),
    "application/vnd.oci.image.manifest.v1+json",
  )
  const bytes = await tar({
    "oci-layout": json({ imageLayoutVersion: "1.0.0" }),
    "index.json": json({ schemaVersion: 2, manifests: [manifest] }),
    ...blobs,
  })
  return { bytes, digest: manifest.digest }
}

const system = {
  "etc/os-release": 'ID=debian\nVERSION_ID="13"\n',
  "etc/debian_version": "13.1\n",
}
const lodash = (version: string) => ({
  "app/node_modules/lodash/package.json": JSON.stringify({ name: "lodash", version, license: "MIT" }),
})

async function scan(
  archive: { readonly bytes: Buffer; readonly digest: string },
  options: {
    readonly exceptions?: string
    readonly policy?: ScanPolicyInput
    readonly trivy?: EngineConfigInput["trivy"]
  } = {},
) {
  const repo = await temporaryRepository()
  const context = await stepContext(repo, session(), "tiny.trivy", await repo.commit("First", { a: "1" }))
  const file = join(await temporaryFolder(), "image.tar")
  await writeFile(file, archive.bytes)
  const image: BuiltImage = {
    service: "tiny",
    digest: archive.digest,
    archive: await context.artifacts.put("image.tar", { file }),
    size: archive.bytes.length,
    labels: {},
  }
  const policy = scanPolicy.parse(options.policy ?? {})
  const trivy = trivyInContainer(context.dag, {
    image: await resolveImage(engine, trivyReference),
    // What a host gets that reaches no registry. The image is resolved by the common configuration: another way of
    // supply would be another stack, and start its registry anew under the engine.
    engine: { ...engine, supply: "packages", trivy: { ...engine.trivy, ...(options.trivy as typeof engine.trivy) } },
    policy,
    name: "tiny",
    attempt: 1,
    signal: context.signal,
    warn: (text) => context.log.warn(text),
    now,
  })
  const exceptions = parseExceptions(options.exceptions ?? "", "gantry.exceptions.yaml")
  return { context, result: scanImage(context, trivy, { service: "tiny", image, policy, exceptions, now }) }
}

const findings = (context: { readonly reports: readonly { kind: string }[] }) =>
  context.reports.find((report): report is FindingsReport => report.kind === "findings")

const exception = (expires: string) =>
  ["CVE-2021-23337", "CVE-2020-8203"]
    .map((id) => `- { id: ${id}, owner: li.wei, reason: not reachable, expires: ${expires}, package: lodash }\n`)
    .join("")

describe("Trivy, for real", () => {
  it("fails an image with lodash 4.17.15, and says what to do", async () => {
    const { context, result } = await scan(await ociArchive({ ...system, ...lodash("4.17.15") }))
    await expect(result).rejects.toMatchObject({
      code: "TRIVY-POLICY",
      kind: "failed",
      message: expect.stringMatching(/^2 findings in tiny's image break the scan policy: CVE-/) as string,
      reason: expect.stringContaining("CVE-2021-23337 lodash 4.17.15") as string,
      hint: expect.stringContaining("lodash to 4.17.21") as string,
    })
    const report = findings(context)
    expect(report?.basis).toMatch(/a subset of \d+ well-known advisories, .* not the full vulnerability database/)
    expect(
      report?.items
        .filter((item) => item.blocking)
        .map((item) => item.id)
        .sort(),
    ).toEqual(["CVE-2020-8203", "CVE-2021-23337"])
    expect(context.lines.join("\n")).toMatch(/warning: the scan knows only a subset/)
  })

  it("passes it with exceptions, and leaves JSON, SARIF, table and SBOM", async () => {
    const archive = await ociArchive({ ...system, ...lodash("4.17.15") })
    const { context, result } = await scan(archive, { exceptions: exception("2027-06-30") })
    const passed = await result
    expect(passed).toMatchObject({ digest: archive.digest, exceptions: 2, counts: { HIGH: 2, CRITICAL: 0 } })
    expect(passed.databaseNote).toMatch(/subset/)
    expect(findings(context)?.items[0]?.exception).toBe("accepted by li.wei until 2027-06-30: not reachable")
    const read = async (name: keyof typeof passed.reports) =>
      readFile(await context.artifacts.open(passed.reports[name]), "utf8")
    expect(JSON.parse(await read("json"))).toMatchObject({ SchemaVersion: 2, ArtifactType: "container_image" })
    const sarif = JSON.parse(await read("sarif")) as { runs: { results: { ruleId: string }[] }[] }
    expect(sarif.runs[0]?.results.map((one) => one.ruleId)).toContain("CVE-2021-23337")
    expect(await read("table")).toContain("lodash")
    const sbom = JSON.parse(await read("sbom")) as { bomFormat: string; components: { purl?: string }[] }
    expect(sbom.bomFormat).toBe("CycloneDX")
    expect(sbom.components.map((one) => one.purl)).toContain("pkg:npm/lodash@4.17.15")
  })

  it("fails it again when the exceptions have expired, and says whose they were", async () => {
    const { result } = await scan(await ociArchive({ ...system, ...lodash("4.17.15") }), {
      exceptions: exception("2026-11-22"),
    })
    await expect(result).rejects.toMatchObject({
      kind: "failed",
      reason: expect.stringContaining("the exception of li.wei expired on 2026-11-22") as string,
    })
  })

  it("passes the repaired version", async () => {
    const { result } = await scan(await ociArchive({ ...system, ...lodash("4.17.21") }))
    expect((await result).counts).toMatchObject({ CRITICAL: 0, HIGH: 0 })
  })

  it.each([
    [
      "by what is in them",
      "log4j-core-2.14.1.jar",
      {
        "META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties":
          "groupId=org.apache.logging.log4j\nartifactId=log4j-core\nversion=2.14.1\n",
      },
      "CVE-2021-44228 org.apache.logging.log4j:log4j-core 2.14.1",
    ],
    // As Gradle makes them: nothing in them says of which group they are.
    [
      "by their names",
      "spring-beans-5.3.17.jar",
      { "META-INF/MANIFEST.MF": "Manifest-Version: 1.0\nAutomatic-Module-Name: spring.beans\n" },
      "CVE-2022-22965 org.springframework:spring-beans 5.3.17",
    ],
  ])("finds Java archives %s", async (_how, name, files, finding) => {
    const { result } = await scan(await ociArchive({ ...system, [`app/lib/${name}`]: zip(files) }))
    await expect(result).rejects.toMatchObject({
      kind: "failed",
      reason: expect.stringContaining(finding) as string,
    })
  })

  it("finds secrets, and an image that runs as root", async () => {
    const secret = "AKIA" + "IOSFODNN7ABCDEFG"
    const { context, result } = await scan(
      await ociArchive({ ...system, "app/config.env": `AWS_ACCESS_KEY_ID=${secret}\n` }, { User: "root" }),
    )
    await expect(result).rejects.toMatchObject({
      kind: "failed",
      reason: expect.stringMatching(/CRITICAL aws-access-key-id \/app\/config\.env:1[^]*HIGH DS-0002/) as string,
    })
    expect(JSON.stringify(context.reports)).not.toContain(secret)
  })

  it.each([
    ["no archive", () => Promise.resolve(Buffer.from("this is no archive"))],
    ["an archive without an image", () => tar({ "hello.txt": "hello" })],
    ["half an archive", async () => (await ociArchive(system)).bytes.subarray(0, 1500)],
  ])("is errored, never passed, by %s", async (_name, bytes) => {
    const { context, result } = await scan({ bytes: await bytes(), digest: `sha256:${"0".repeat(64)}` })
    await expect(result).rejects.toMatchObject({ code: "TRIVY-SCAN", kind: "errored" })
    expect(context.reports).toEqual([])
  })

  it("is errored by the archive of another image", async () => {
    const { bytes } = await ociArchive(system)
    const { result } = await scan({ bytes, digest: `sha256:${"0".repeat(64)}` })
    await expect(result).rejects.toMatchObject({ code: "TRIVY-DIGEST", kind: "errored" })
  })

  it("takes the database of a registry, shows its age, and refuses one that is too old", async () => {
    const archive = await ociArchive({ ...system, ...lodash("4.17.15") })
    const fresh = await publishDatabase("2026-11-21T06:00:00Z")
    const { context, result } = await scan(archive, { trivy: { dbRepositories: [fresh] } })
    await expect(result).rejects.toMatchObject({ code: "TRIVY-POLICY", kind: "failed" })
    expect(findings(context)?.basis).toBe("vulnerability database of 2026-11-21 (2 days old)")

    const stale = await publishDatabase("2026-10-01T06:00:00Z")
    const old = await scan(archive, { trivy: { dbRepositories: [stale] } })
    await expect(old.result).rejects.toMatchObject({ code: "TRIVY-DB-STALE", kind: "errored" })
  })

  it("goes on to the next registry, and is errored when none has the database", async () => {
    const archive = await ociArchive({ ...system, ...lodash("4.17.21") })
    const nowhere = `${registryAddress(engine)}/gantry-test/no-such-db:2`
    const there = await publishDatabase("2026-11-22T06:00:00Z")
    const second = await scan(archive, { trivy: { dbRepositories: [nowhere, there] } })
    expect((await second.result).databaseUpdatedAt).toBe("2026-11-22T06:00:00.000Z")

    const none = await scan(archive, { trivy: { dbRepositories: [nowhere] } })
    await expect(none.result).rejects.toMatchObject({
      code: "TRIVY-DB-UNREACHABLE",
      kind: "errored",
      reason: expect.stringContaining(nowhere) as string,
    })
    expect(none.context.reports).toEqual([])
  })

  it("is errored where a policy refuses the subset", async () => {
    const { result } = await scan(await ociArchive(system), { policy: { database: { subset: "refuse" } } })
    await expect(result).rejects.toMatchObject({ code: "TRIVY-DB-SUBSET", kind: "errored" })
  })
})

/** A zip archive without compression: local headers, central directory, end (APPNOTE.TXT 4.3). */
function zip(files: Readonly<Record<string, string>>): Buffer {
  const locals: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const [name, text] of Object.entries(files)) {
    const data = Buffer.from(text)
    const shared = Buffer.alloc(26)
    shared.writeUInt16LE(10, 0)
    shared.writeUInt32LE(crc32(data), 10)
    shared.writeUInt32LE(data.length, 14)
    shared.writeUInt32LE(data.length, 18)
    shared.writeUInt16LE(Buffer.byteLength(name), 22)
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), shared, Buffer.from(name), data])
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(offset, 10)
    central.push(Buffer.concat([Buffer.from("PK\x01\x02\x0a\x00"), shared, rest, Buffer.from(name)]))
    locals.push(local)
    offset += local.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.write("PK\x05\x06", "latin1")
  end.writeUInt16LE(locals.length, 8)
  end.writeUInt16LE(locals.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, directory, end])
}

/** A database as Trivy's own are published, in the stack's registry. Answers its reference. */
async function publishDatabase(updatedAt: string): Promise<string> {
  const image = await resolveImage(engine, trivyReference)
  const target = join(await temporaryFolder(), "trivy.db")
  await session().dag.container().from(image.reference).file(`${subsetFolder}/db/trivy.db`).export(target)
  const next = new Date(Date.parse(updatedAt) + 86_400_000).toISOString()
  const layer = gzipSync(
    await tar({
      "trivy.db": await readFile(target),
      "metadata.json": JSON.stringify({ Version: 2, UpdatedAt: updatedAt, NextUpdate: next, DownloadedAt: updatedAt }),
    }),
  )
  const repository = `gantry-test/trivy-db-${randomUUID()}`
  const base = `http://${registryAddress(engine)}/v2/${repository}`
  const upload = async (content: Buffer) => {
    const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`
    const started = await fetch(`${base}/blobs/uploads/`, { method: "POST" })
    const location = new URL(started.headers.get("location") ?? "", base)
    location.searchParams.set("digest", digest)
    const answer = await fetch(location, { method: "PUT", body: new Uint8Array(content) })
    if (!answer.ok) throw new Error(`the registry answered ${answer.status}`)
    return { digest, size: content.length }
  }
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.aquasec.trivy.config.v1+json", ...(await upload(Buffer.from("{}"))) },
    layers: [
      {
        mediaType: "application/vnd.aquasec.trivy.db.layer.v1.tar+gzip",
        annotations: { "org.opencontainers.image.title": "db.tar.gz" },
        ...(await upload(layer)),
      },
    ],
  }
  const put = await fetch(`${base}/manifests/2`, {
    method: "PUT",
    headers: { "content-type": manifest.mediaType },
    body: JSON.stringify(manifest),
  })
  if (!put.ok) throw new Error(`the registry answered ${put.status}`)
  return `${registryAddress(engine)}/${repository}:2`
}
