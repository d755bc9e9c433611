import { execFile } from "node:child_process"
import { randomBytes } from "node:crypto"
import { promisify } from "node:util"
import { beforeAll, describe, expect, it, onTestFinished } from "vitest"
import { engineContext } from "../../../engine/context.js"
import { removeContainer } from "../../../engine/docker/run.js"
import { engineConfig, localImage } from "../../../engine/index.js"
import { boundingSet, capabilityConfig } from "../../../engine/stack/privileges.js"
import { execIn } from "../../../engine/stack/exec.js"
import { program, runnableEngine } from "./child.js"

const run = promisify(execFile)

let folder: string
beforeAll(async () => {
  folder = await runnableEngine()
  await program(
    folder,
    "ask",
    `import { ensureDocker, engineConfig } from "./engine/index.js"
     import { toErrorRecord } from "./core/errors.js"
     const progress = { task: (title) => (console.error(title), { update() {}, log() {}, done() {}, fail() {} }) }
     const answer = await ensureDocker(engineConfig.parse({ home: "/home/gantry" }), { progress }).then((found) => ({ found }), toErrorRecord)
     console.log(JSON.stringify(answer))
    `,
  )
})

/** A Debian without Docker, in a container that has what a host has: its capabilities, a disk of its own. */
async function bareDebian(): Promise<{ sh(script: string): Promise<{ exitCode: number; output: string }> }> {
  const config = engineConfig.parse({})
  const { docker } = engineContext(config)
  const name = `engit-bare-${randomBytes(3).toString("hex")}`
  const image = await localImage(config, "docker.io/library/node:22-slim")
  onTestFinished(async () => {
    await removeContainer(docker, name)
  })
  const bounding = (await boundingSet()) ?? ""
  const create = async (unknown: readonly string[]): Promise<string> => {
    const { extraBinds, ...host } = capabilityConfig(bounding, unknown) as { extraBinds: string[] }
    const container = await docker.createContainer({
      name,
      Image: image.name,
      Entrypoint: ["sleep"],
      Cmd: ["3600"],
      Volumes: { "/var/lib/docker": {} },
      HostConfig: {
        ...host,
        Init: true,
        Binds: [
          ...extraBinds,
          `${folder}:${folder}:ro`,
          `${process.cwd()}/node_modules:${process.cwd()}/node_modules:ro`,
        ],
      },
    })
    await container.start()
    return container.id
  }
  let id: string | undefined
  const unknown: string[] = []
  while (id === undefined) {
    id = await create(unknown).catch((error: Error) => {
      const capability = /unknown capability: "CAP_(\w+)"/.exec(error.message)?.[1]
      if (capability === undefined || unknown.includes(capability)) throw error
      unknown.push(capability)
      return undefined
    })
  }
  const container = id
  return { sh: (script) => execIn(docker, container, ["sh", "-c", script]) }
}

describe("on a bare Debian, as root", () => {
  it("a Docker Engine is installed from Debian's packages and started, and started again after a crash", async () => {
    const host = await bareDebian()
    expect((await host.sh("command -v dockerd")).exitCode).not.toBe(0)

    const first = await host.sh(`node ${folder}/ask.js`)
    expect(first.output).toContain("Installing docker.io, iptables from Debian's packages")
    expect(first.output).toContain("Starting the Docker Engine")
    expect(first.output).toMatch(/"found":\{"version":"\d+\.\d+/)

    // The engine has outlived the process that started it; the second time nothing is done.
    const second = await host.sh(`node ${folder}/ask.js`)
    expect(second.output.trim()).toMatch(/^\{"found":/)

    // A crash leaves the pid file; by then the number belongs to another process.
    const mtu = (
      await host.sh("cat /sys/class/net/$(awk '$2==\"00000000\"{print $1}' /proc/net/route)/mtu")
    ).output.trim()
    expect((await host.sh("tr '\\0' ' ' < /proc/$(cat /var/run/docker.pid)/cmdline")).output).toContain(`--mtu ${mtu}`)
    await host.sh("kill -9 $(cat /var/run/docker.pid) $(pidof containerd); sleep 60 & echo $! > /var/run/docker.pid")
    const third = await host.sh(`node ${folder}/ask.js`)
    expect(third.output).not.toContain("Installing")
    expect(third.output).toMatch(/"found":\{"version":"\d+\.\d+/)

    // One that cannot start says why, in its own words.
    await host.sh(
      "kill -9 $(cat /var/run/docker.pid) $(pidof containerd); echo '{ broken' > /etc/docker/daemon.json || mkdir -p /etc/docker && echo '{ broken' > /etc/docker/daemon.json",
    )
    const fourth = await host.sh(`node ${folder}/ask.js`)
    expect(fourth.output).toContain('"code":"SUPPLY-DOCKER-START"')
    expect(fourth.output).toMatch(/unable to configure the Docker daemon/)
  })
})

describe("the container that stands for a bare host", () => {
  it("is gone afterwards", async () => {
    const { stdout } = await run("docker", ["ps", "-aq", "--filter", "name=engit-bare-"])
    expect(stdout.trim()).toBe("")
  })
})
