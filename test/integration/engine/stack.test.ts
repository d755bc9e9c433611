import { createServer } from "node:net"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { describe, expect, it, onTestFinished } from "vitest"
import {
  doctor,
  ensureStack,
  localImage,
  openSession,
  resolveImage,
  stackDown,
  stackStatus,
  withHostCa,
  withoutHostCa,
} from "../../../engine/index.js"
import { engineContext } from "../../../engine/context.js"
import { nowhere, ownStack, recordingProgress, takeDownAfterwards } from "./rig.js"

const run = promisify(execFile)

describe("a stack of its own", () => {
  it("comes up, works, is quick the second time, and leaves nothing but its volumes", async () => {
    const config = await ownStack()
    takeDownAfterwards(config)
    await ensureStack(config, ["engine"])
    const states = new Map((await stackStatus(config)).map((one) => [one.id, one]))
    expect(states.get("registry")).toMatchObject({ state: "running", source: "packages" })
    expect(states.get("engine")).toMatchObject({ state: "running", version: "0.21.8" })
    expect(states.get("sonarqube")).toMatchObject({ state: "missing" })

    const image = await resolveImage(config, "debian:trixie-slim")
    const session = await openSession(config, { logs: nowhere() })
    try {
      expect(session).toMatchObject({ via: "stack", version: "0.21.8" })
      const built = withHostCa(session.dag.container().from(image.reference), session.dag, config)
      expect(await built.withExec(["cat", "/etc/debian_version"]).stdout()).toMatch(/^13/)
      // What is exported holds neither the authorities nor their variables.
      const bare = withoutHostCa(built)
      expect(await bare.withExec(["sh", "-c", "env; ls /run/gantry 2>&1 || true"]).stdout()).not.toMatch(
        /JAVA_TOOL|ca\.pem/,
      )
    } finally {
      await session.close()
    }

    const { progress, lines } = recordingProgress()
    await ensureStack(config, ["engine"], { progress })
    expect(lines).toEqual([])

    const found = await doctor(config)
    expect(found.find((one) => one.id === "engine")).toMatchObject({
      state: "ok",
      source: "packages",
      version: "0.21.8",
    })
    expect(found.find((one) => one.id === "docker")).toMatchObject({ state: "ok" })
    expect(found.filter((one) => one.state === "unusable")).toEqual([])

    await stackDown(config)
    expect((await stackStatus(config)).map((one) => one.state)).toEqual(["missing", "missing", "missing"])
    const { stdout } = await run("docker", ["volume", "ls", "-q", "--filter", `name=${config.stack}-`])
    expect(stdout.trim().split("\n").sort()).toEqual([`${config.stack}-engine`, `${config.stack}-registry`])
  })

  it("a stopped component is started again; the engine follows the registry whose network it shares", async () => {
    const config = await ownStack()
    takeDownAfterwards(config)
    await ensureStack(config, ["engine"])
    await run("docker", ["restart", "-t", "1", `${config.stack}-registry`])
    await ensureStack(config, ["engine"])
    const image = await resolveImage(config, "debian:trixie-slim")
    const session = await openSession(config, { logs: nowhere() })
    onTestFinished(() => session.close())
    // Only an engine in the registry's new network can pull that.
    expect(await session.dag.container().from(image.reference).withExec(["echo", "here"]).stdout()).toBe("here\n")
  })

  it("listens on loopback alone", async () => {
    const config = await ownStack()
    takeDownAfterwards(config)
    await ensureStack(config, ["registry"])
    const { stdout } = await run("docker", ["port", `${config.stack}-registry`])
    expect(stdout.trim()).toBe(`${config.ports.registry}/tcp -> 127.0.0.1:${config.ports.registry}`)
  })

  it("two that provide at once do it once", async () => {
    const config = await ownStack()
    takeDownAfterwards(config)
    const recorders = [recordingProgress(), recordingProgress()]
    await Promise.all(recorders.map(({ progress }) => ensureStack(config, ["engine"], { progress })))
    const starts = recorders.flatMap(({ lines }) => lines.filter((line) => line === "Starting Dagger engine"))
    expect(starts).toHaveLength(1)
  })
})

describe("a port in use", () => {
  it("is named, with who holds it and how to choose another", async () => {
    const config = await ownStack()
    takeDownAfterwards(config)
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(config.ports.registry, "127.0.0.1", resolve))
    onTestFinished(() => void server.close())
    await expect(ensureStack(config, ["engine"])).rejects.toMatchObject({
      code: "STACK-PORT-IN-USE",
      kind: "errored",
      message: `Port ${config.ports.registry} on 127.0.0.1 is in use`,
      reason: expect.stringContaining(`(pid ${process.pid})`) as string,
      hint: expect.stringContaining("ports: { registry: <another> }") as string,
    })
    // Nothing was half started.
    expect((await stackStatus(config)).map((one) => one.state)).toEqual(["missing", "missing", "missing"])
  })

  it("held by a container, the container is named", async () => {
    const config = await ownStack()
    takeDownAfterwards(config)
    await ensureStack(config, ["registry"])
    const second = await ownStack({ ports: { registry: config.ports.registry } })
    takeDownAfterwards(second)
    await expect(ensureStack(second, ["registry"])).rejects.toMatchObject({
      code: "STACK-PORT-IN-USE",
      reason: `the container ${config.stack}-registry listens there.`,
    })
  })
})

describe("the engine is killed under a session", () => {
  it.each([{ how: ["kill"] }, { how: ["stop", "-t", "10"] }])(
    "docker $how: what is under way is errored at once, and the next session works",
    async ({ how }) => {
      const config = await ownStack()
      takeDownAfterwards(config)
      const image = await resolveImage(config, "debian:trixie-slim")
      const session = await openSession(config, { logs: nowhere() })
      const naptime = `300.${config.ports.registry}`
      const base = session.dag.container().from(image.reference)
      await base.sync()
      const work = base
        .withEnvVariable("ONCE", config.stack)
        .withExec(["sleep", naptime])
        .sync()
        .then(
          () => "done",
          (error: unknown) => session.explain(error),
        )
      await processStarted(`sleep ${naptime}`)
      const started = Date.now()
      const ended = run("docker", [...how, `${config.stack}-engine`])
      expect(await work).toMatchObject({ code: "ENGINE-LOST", kind: "errored" })
      expect(Date.now() - started).toBeLessThan(60_000)
      await ended
      expect(session.lost.aborted).toBe(true)
      await session.close()

      const next = await openSession(config, { logs: nowhere() })
      onTestFinished(() => next.close())
      expect(await next.dag.container().from(image.reference).withExec(["echo", "again"]).stdout()).toBe("again\n")
    },
  )
})

/** Waits until a command runs anywhere on this host: what the engine executes are its processes too. */
async function processStarted(command: string): Promise<void> {
  const deadline = Date.now() + 60_000
  for (;;) {
    const found = await run("pgrep", ["-fx", command]).catch(() => ({ stdout: "" }))
    if (found.stdout.trim() !== "") return
    if (Date.now() > deadline) throw new Error("the command did not start")
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

describe("Java in containers", () => {
  it("reads the truststore that is made of the host's bundle", async () => {
    const config = await ownStack()
    const context = engineContext(config)
    if (context.ca === undefined) throw new Error("this test needs a host that names its bundle (SSL_CERT_FILE)")
    const { javaTruststore, truststorePassword } = await import("../../../engine/truststore.js")
    const { readFile, writeFile } = await import("node:fs/promises")
    const { temporaryFolder } = await import("./rig.js")
    const path = `${await temporaryFolder()}/truststore.jks`
    const pem = await readFile(context.ca, "utf8")
    await writeFile(path, javaTruststore(pem))
    const image = await localImage(config, "docker.io/library/eclipse-temurin:21-jre")
    const { stdout } = await run("docker", [
      ...["run", "--rm", "--network", "none", "-v", `${path}:/t.jks:ro`, "--entrypoint", "keytool", image.name],
      ...["-list", "-keystore", "/t.jks", "-storepass", truststorePassword],
    ])
    const count = Number(/contains (\d+) entries/.exec(stdout)?.[1])
    expect(count).toBe(pem.match(/BEGIN CERTIFICATE/g)?.length)
  })
})
