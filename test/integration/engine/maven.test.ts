import { execFile } from "node:child_process"
import { createHash, randomBytes } from "node:crypto"
import type { ServerResponse } from "node:http"
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest"
import { engineContext } from "../../../engine/context.js"
import { removeContainer } from "../../../engine/docker/run.js"
import { engineConfig, homeOf, localImage, type EngineConfig } from "../../../engine/index.js"
import { artifactPath, fetchArtifact, mavenReference, repositoryPlace } from "../../../engine/supply/maven.js"
import type { MavenArtifact } from "../../../engine/supply/recipe.js"
import { fakeMaven, type FakeMaven } from "../../fakes/maven.js"
import { runnableEngine, spawnProgram } from "./child.js"
import { recordingProgress } from "./rig.js"

const run = promisify(execFile)
const packages = engineConfig.parse({ supply: "packages" })
const login = { username: "gantry", password: randomBytes(6).toString("hex"), variable: "GANTRY_TEST_MAVEN" }

/** Small, without dependencies, and nothing that Maven's own plugins use. */
const real: MavenArtifact = {
  artifact: "org.hamcrest:hamcrest:2.2:jar",
  sha256: "5e62846a89f05cd78cd9c1a553f340d002458380c320455dd1f8fc5497a8a1c1",
  bytes: 123_360,
  title: "Hamcrest",
}

let program: string
let image: string
let folder: string
let mirror: FakeMaven
let config: EngineConfig
const stack = `engit-${randomBytes(3).toString("hex")}`

beforeAll(async () => {
  program = await runnableEngine()
  image = (await localImage(packages, mavenReference)).name
  // By the host's own settings, for real; it also leaves Maven's plugin behind, which the company's mirror then has.
  await rm(artifactPath(homeOf(packages), real), { force: true })
  await fetchArtifact(engineContext(packages), () => Promise.resolve(image), real)
  folder = await mkdtemp(join(tmpdir(), "gantry-maven-"))
  afterAll(() => rm(folder, { recursive: true, force: true }))
  mirror = await fakeMaven(join(homeOf(packages), "cache", "maven"), login)
  afterAll(() => mirror.close())
  const settings = join(folder, "settings.xml")
  await writeFile(settings, mirror.settings)
  config = engineConfig.parse({ supply: "packages", stack, home: join(folder, "home"), maven: { settings } })
  process.env[login.variable] = login.password
  afterAll(() => void delete process.env[login.variable])
  afterAll(() => removeContainer(engineContext(config).docker, `${stack}-maven`))
})

beforeEach(() => void mirror.requests.splice(0))

const fetch = (wanted: MavenArtifact, progress = recordingProgress().progress): Promise<string> =>
  fetchArtifact(engineContext(config, { progress }), () => Promise.resolve(image), wanted)

/** An artifact that only the mirror can have, and the path under which it is asked for it. */
function artifact(name: string, content: Buffer): { readonly wanted: MavenArtifact; readonly path: string } {
  const wanted = {
    artifact: `example.company:${name}:1.0:zip`,
    sha256: createHash("sha256").update(content).digest("hex"),
    bytes: content.length,
    title: name,
  }
  const place = repositoryPlace(wanted.artifact)
  return { wanted, path: `/${place.folder}/${place.file}` }
}

describe("an artifact", () => {
  it("comes from where the host's Maven settings say, is checked, and is kept", async () => {
    const path = artifactPath(homeOf(packages), real)
    expect((await stat(path)).size).toBe(real.bytes)
    expect((await stat(path)).uid).toBe(process.getuid?.())
  })

  it("comes through a mirror with a login, as everything that Maven itself needs", async () => {
    const content = randomBytes(1000)
    const { wanted, path } = artifact("plain", content)
    mirror.answer(path, (_request, response) => response.end(content))
    expect((await readFile(await fetch(wanted))).equals(content)).toBe(true)
    expect(mirror.requests.some((one) => /maven-dependency-plugin-[\d.]+\.jar$/.test(one))).toBe(true)
    expect(mirror.requests).toContain(path)
    // The second time nobody is asked.
    mirror.requests.splice(0)
    await fetch(wanted)
    expect(mirror.requests).toEqual([])
  })

  it("comes through the proxy that the host's variables name", async () => {
    const content = randomBytes(1000)
    const { wanted, path } = artifact("proxied", content)
    mirror.answer(path, (_request, response) => response.end(content))
    // A name that nobody knows: only the proxy can have been asked.
    const settings = join(folder, "proxied.xml")
    await writeFile(settings, mirror.settings.replace(mirror.url, "http://maven.company.test"))
    vi.stubEnv("http_proxy", mirror.url)
    onTestFinished(() => void vi.unstubAllEnvs())
    const context = engineContext({ ...config, maven: { settings } })
    const fetched = await fetchArtifact(context, () => Promise.resolve(image), wanted)
    expect((await readFile(fetched)).equals(content)).toBe(true)
    expect(mirror.requests).toContain(path)
  })

  it("that nobody has is errored with Maven's words, without a second attempt", async () => {
    const { wanted, path } = artifact("missing", randomBytes(10))
    await expect(fetch(wanted)).rejects.toMatchObject({
      code: "SUPPLY-DOWNLOAD",
      kind: "errored",
      reason: expect.stringMatching(/could not find artifact example\.company:missing:zip:1\.0/i) as string,
      hint: expect.stringContaining("settings.xml") as string,
    })
    expect(mirror.requests.filter((one) => one === path)).toHaveLength(1)
  })

  it("that is another than expected is refused and not kept", async () => {
    const { wanted, path } = artifact("forged", randomBytes(10))
    mirror.answer(path, (_request, response) => response.end("something else"))
    for (const _time of [1, 2]) {
      await expect(fetch(wanted)).rejects.toMatchObject({ code: "SUPPLY-CHECKSUM", kind: "errored" })
    }
    expect(mirror.requests.filter((one) => one === path)).toHaveLength(2)
  })
})

describe("interrupted", () => {
  it("a transfer that breaks off is begun again by itself, and shown while it goes on", async () => {
    const content = randomBytes(3_000_000)
    const { wanted, path } = artifact("broken", content)
    const { progress, lines } = recordingProgress()
    let stalled: ServerResponse | undefined
    mirror.answer(path, (_request, response) => {
      if (stalled !== undefined) response.end(content)
      else {
        stalled = response
        response.writeHead(200, { "content-length": content.length }).write(content.subarray(0, 2_000_000))
      }
    })
    const fetched = fetch(wanted, progress)
    await vi.waitFor(() => expect(lines).toContain("Fetching broken with Maven: 2 of 3 MB"), 60_000)
    stalled?.destroy()
    expect((await readFile(await fetched)).equals(content)).toBe(true)
    expect(mirror.requests.filter((one) => one === path)).toHaveLength(2)
  })

  it("a killed process leaves nothing that counts, and the next one fetches only what was missing", async () => {
    const content = randomBytes(300_000)
    const { wanted, path } = artifact("killed", content)
    let stalled = false
    mirror.answer(path, (_request, response) => {
      if (stalled) response.end(content)
      else {
        stalled = true
        response.writeHead(200, { "content-length": content.length }).write(content.subarray(0, 150_000))
      }
    })
    const child = await spawnProgram(
      program,
      `import { fetchArtifact } from "./engine/supply/maven.js"
       import { engineContext } from "./engine/context.js"
       await fetchArtifact(engineContext(${JSON.stringify(config)}), async () => ${JSON.stringify(image)}, ${JSON.stringify(wanted)})`,
    )
    const place = join(homeOf(config), "cache", "maven", repositoryPlace(wanted.artifact).folder)
    await vi.waitFor(
      async () => {
        const sizes = (await readdir(place)).map(async (name) => (await stat(join(place, name))).size)
        expect(Math.max(0, ...(await Promise.all(sizes)))).toBeGreaterThan(100_000)
      },
      { timeout: 60_000 },
    )
    await child.kill()
    mirror.requests.splice(0)
    expect((await readFile(await fetch(wanted))).equals(content)).toBe(true)
    // The plugin is there already; what is asked for is the artifact, its description and their checksums.
    expect(mirror.requests.filter((one) => dirname(one) !== dirname(path))).toEqual([])
    expect((await readdir(place)).filter((name) => name.includes("tmp"))).toEqual([])
  })
})

describe("a full disk", () => {
  it("is said as such, with what to do", async () => {
    const content = randomBytes(3_000_000)
    const { wanted, path } = artifact("big", content)
    mirror.answer(path, (_request, response) => response.end(content))
    const place = join(homeOf(config), "cache", "maven", repositoryPlace(wanted.artifact).folder)
    await mkdir(place, { recursive: true })
    await run("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", place])
    onTestFinished(async () => {
      await run("umount", [place])
    })
    await expect(fetch(wanted)).rejects.toMatchObject({
      code: "SUPPLY-DISK-FULL",
      kind: "errored",
      hint: expect.stringContaining("df -h") as string,
    })
  })
})
