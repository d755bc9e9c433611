import { execFile } from "node:child_process"
import { once } from "node:events"
import { chmod, readFile, writeFile } from "node:fs/promises"
import { connect, createServer, type AddressInfo } from "node:net"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import { ensureStack, openSession, resolveImage, stackDown, type EngineConfig } from "../../../engine/index.js"
import { engineContext } from "../../../engine/context.js"
import { daggerCli } from "../../../engine/session/cli.js"
import { containerName } from "../../../engine/stack/container.js"
import { engineSocket } from "../../../engine/stack/engine.js"
import { program, runnableEngine } from "./child.js"
import { nowhere, ownStack, recordingProgress, temporaryFolder } from "./rig.js"

const run = promisify(execFile)
const runnerAt = (address: string) => ({ _EXPERIMENTAL_DAGGER_RUNNER_HOST: address })

let config: EngineConfig
let folder: string
beforeAll(async () => {
  config = await ownStack()
  folder = await runnableEngine()
  await ensureStack(config, ["engine"])
})
afterAll(() => stackDown(config, { volumes: true }))

describe("a session", () => {
  it("is that of a surrounding `dagger run`, and starts nothing", async () => {
    const path = await program(
      folder,
      "inside",
      `import { writeFileSync } from "node:fs"
       import { openSession, engineConfig } from "./engine/index.js"
       const session = await openSession(engineConfig.parse({ stack: "engit-never-started" }), { logs: process.stderr })
       writeFileSync(process.argv[2], JSON.stringify({ via: session.via, version: session.version, platform: await session.dag.defaultPlatform() }))
       await session.close()`,
    )
    const out = join(await temporaryFolder(), "said.json")
    await run(await daggerCli(engineContext(config)), ["run", process.execPath, path, out], {
      env: {
        ...process.env,
        _EXPERIMENTAL_DAGGER_RUNNER_HOST: `unix://${engineSocket(config)}`,
        DAGGER_PROGRESS: "plain",
        DO_NOT_TRACK: "1",
      },
    })
    expect(JSON.parse(await readFile(out, "utf8"))).toMatchObject({
      via: "surrounding",
      version: "0.21.8",
      platform: expect.stringMatching(/^linux\//) as string,
    })
    const { stdout } = await run("docker", ["ps", "-aq", "--filter", "name=engit-never-started"])
    expect(stdout.trim()).toBe("")
  })

  it("is with the configured runner host, before the stack's own", async () => {
    const runner = await ownStack({ dagger: { runnerHost: `unix://${engineSocket(config)}` } })
    const { progress, lines } = recordingProgress()
    const session = await openSession(runner, { logs: nowhere(), progress })
    onTestFinished(() => session.close())
    expect(session).toMatchObject({ via: "runner", version: "0.21.8" })
    expect(lines).toEqual([])
  })

  it("is with an engine over TCP, as one in a cluster is reached", async () => {
    const bridge = createServer((client) => {
      const engine = connect(engineSocket(config))
      const end = () => [client, engine].forEach((socket) => socket.destroy())
      for (const socket of [client, engine]) socket.on("error", end)
      client.pipe(engine).pipe(client)
    })
    bridge.listen(0, "127.0.0.1")
    await once(bridge, "listening")
    onTestFinished(() => void bridge.close())
    const { port } = bridge.address() as AddressInfo
    const session = await openSession(
      await ownStack(),
      { logs: nowhere() },
      { ...process.env, ...runnerAt(`tcp://127.0.0.1:${port}`) },
    )
    onTestFinished(() => session.close())
    expect(session).toMatchObject({ via: "runner", version: "0.21.8" })
    expect(await session.dag.defaultPlatform()).toMatch(/^linux\//)
  })

  it("is with an engine in a pod, through kubectl", async () => {
    const bin = await temporaryFolder()
    // In a cluster kubectl runs this in the pod; here it is run in the engine's container.
    await writeFile(
      join(bin, "kubectl"),
      `#!/bin/sh\necho "$*" >>${bin}/asked\nwhile [ "$1" != -- ]; do shift; done; shift\nexec docker exec -i ${containerName(engineContext(config), "engine")} "$@"\n`,
    )
    await chmod(join(bin, "kubectl"), 0o755)
    const { PATH } = process.env
    onTestFinished(() => void (process.env["PATH"] = PATH))
    process.env["PATH"] = `${bin}:${PATH ?? ""}`
    const session = await openSession(
      await ownStack(),
      { logs: nowhere() },
      { ...process.env, ...runnerAt("kube-pod://dagger-dagger-helm-engine-0?namespace=dagger") },
    )
    onTestFinished(() => session.close())
    expect(session).toMatchObject({ via: "runner", version: "0.21.8" })
    const asked = await readFile(join(bin, "asked"), "utf8")
    expect(asked).toMatch(/--namespace[= ]dagger/)
    expect(asked).toContain("dagger-dagger-helm-engine-0")
  })

  it("with an engine that does not answer is errored, with the client's words", async () => {
    const runner = await ownStack({ dagger: { runnerHost: "unix:///nonexistent/engine.sock" } })
    await expect(openSession(runner, { logs: nowhere() })).rejects.toMatchObject({
      code: "ENGINE-CONNECT",
      kind: "errored",
      message: expect.stringContaining("unix:///nonexistent/engine.sock") as string,
    })
  })

  it("with a CLI of another version is refused", async () => {
    const other = join(await temporaryFolder(), "dagger")
    await writeFile(other, "#!/bin/sh\necho dagger v0.20.1 linux/amd64\n")
    await chmod(other, 0o755)
    const env = { ...process.env, _EXPERIMENTAL_DAGGER_CLI_BIN: other }
    await expect(openSession(config, { logs: nowhere() }, env)).rejects.toMatchObject({
      code: "ENGINE-VERSION",
      message: expect.stringContaining("is 0.20.1, expected is 0.21.8") as string,
    })
  })

  it("half a surrounding session is the caller's mistake", async () => {
    const env = { DAGGER_SESSION_PORT: "1234" }
    await expect(openSession(config, { logs: nowhere() }, env)).rejects.toMatchObject({
      code: "ENGINE-CONNECT",
      kind: "usage",
    })
  })

  it("that is interrupted ends what is under way and its client", async () => {
    const stop = new AbortController()
    const image = await resolveImage(config, "debian:trixie-slim")
    const session = await openSession(config, { logs: nowhere(), signal: stop.signal })
    const naptime = `301.${config.ports.registry}`
    const work = session.dag.container().from(image.reference).withExec(["sleep", naptime]).sync()
    const outcome = work.then(
      () => "done",
      () => "rejected",
    )
    const running = () =>
      run("pgrep", ["-fx", `sleep ${naptime}`]).then(
        () => true,
        () => false,
      )
    await until(running)
    stop.abort(new Error("interrupted"))
    expect(await outcome).toBe("rejected")
    await session.close()
    // The engine has stopped it too.
    await until(async () => !(await running()))
  })

  it("its client ends with the process that opened it, however that ends", async () => {
    const path = await program(
      folder,
      "held",
      `import { openSession, engineConfig } from "./engine/index.js"
       const session = await openSession(engineConfig.parse(${JSON.stringify(config)}), { logs: process.stderr })
       console.log("open")
       setInterval(() => {}, 1000)`,
    )
    const { spawn } = await import("node:child_process")
    const child = spawn(process.execPath, [path], { stdio: ["ignore", "pipe", "ignore"] })
    await new Promise<void>((resolve) => child.stdout.once("data", () => resolve()))
    const children = async () =>
      (await run("pgrep", ["-P", String(child.pid)]).catch(() => ({ stdout: "" }))).stdout
        .trim()
        .split("\n")
        .filter(Boolean)
    const [client] = await children()
    expect(client).toBeDefined()
    child.kill("SIGKILL")
    await until(() =>
      readFile(`/proc/${client}/comm`).then(
        () => false,
        () => true,
      ),
    )
  })

  it("builds a Dockerfile that names a frontend, without fetching that", async () => {
    const image = await resolveImage(config, "debian:trixie-slim")
    const session = await openSession(config, { logs: nowhere() })
    onTestFinished(() => session.close())
    const dockerfile = `# syntax=docker/dockerfile:1\nFROM ${image.reference}\nRUN <<EOF\necho here > /x\nEOF\n`
    const built = session.dag.directory().withNewFile("Dockerfile", dockerfile).dockerBuild()
    expect(await built.file("/x").contents()).toBe("here\n")
  })
})

async function until(condition: () => Promise<boolean>, seconds = 60): Promise<void> {
  const deadline = Date.now() + seconds * 1000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error("the condition did not come true")
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
