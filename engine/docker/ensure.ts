import { spawn } from "node:child_process"
import { access, constants, mkdir, open, readFile, rm } from "node:fs/promises"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fault } from "../../core/errors.js"
import { diskFull, exists, writeAtomic } from "../files.js"
import type { EngineContext } from "../context.js"
import { lastLines, runHost } from "../exec.js"
import { withLock } from "../../core/lock.js"
import { aptInstall, canInstall, findCommand } from "./apt.js"
import { dockerHost, dockerVersion, minimumApi, type DockerVersion } from "./client.js"
import { decideDocker } from "./decide.js"
import { defaultRouteMtu } from "./mtu.js"

/**
 * Makes sure that a Docker Engine answers, and answers its version: uses the one that does, starts an installed one,
 * installs Debian's where there is none and Gantry runs as root.
 * Errors: SUPPLY-NO-DOCKER, SUPPLY-DOCKER-DENIED, SUPPLY-DOCKER-OLD, SUPPLY-DOCKER-START, SUPPLY-APT.
 */
export async function ensureDocker(context: EngineContext): Promise<DockerVersion> {
  const running = await dockerVersion(context.docker)
  if (running !== undefined) return checked(running)
  return withLock(
    join(context.home, "locks", "docker.lock"),
    "starting the Docker Engine",
    async () => checked((await dockerVersion(context.docker)) ?? (await provide(context))),
    { signal: context.signal },
  )
}

function checked(found: DockerVersion): DockerVersion {
  const [major = 0, minor = 0] = found.api.split(".").map(Number)
  const [leastMajor = 0, leastMinor = 0] = minimumApi.split(".").map(Number)
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return found
  throw fault({
    code: "SUPPLY-DOCKER-OLD",
    kind: "errored",
    message: `The Docker Engine is too old: ${found.version} (API ${found.api})`,
    reason: `Gantry needs API ${minimumApi}, which Docker Engine 20.10 and later have.`,
    hint: "Install a newer Docker Engine.",
  })
}

async function provide(context: EngineContext): Promise<DockerVersion> {
  const host = dockerHost(context.config)
  const socket = host.startsWith("unix://") ? host.slice("unix://".length) : undefined
  const decision = decideDocker({
    host,
    configured: context.config.docker.host !== undefined || (process.env["DOCKER_HOST"] ?? "") !== "",
    denied:
      socket !== undefined &&
      existsSync(socket) &&
      !(await access(socket, constants.R_OK | constants.W_OK).then(
        () => true,
        () => false,
      )),
    installed: (await findCommand("dockerd")) !== undefined,
    root: process.getuid?.() === 0,
    debian: await findCommand("apt-get").then((path) => path !== undefined),
  })
  if (decision.action === "fault") throw fault(decision.fault)
  if (decision.action === "install") {
    await aptInstall(["docker.io", "iptables"], context.progress, { expectedSeconds: 20, signal: context.signal })
  }
  return startDocker(context, socket ?? "/var/run/docker.sock")
}

/** Removes a pid file whose process is gone or is something else by now: dockerd refuses to start over one. */
async function dropStalePid(path: string, program: string): Promise<void> {
  const pid = Number(await readFile(path, "utf8").catch(() => ""))
  if (!Number.isInteger(pid) || pid <= 0) return
  const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")
  if (name.trim() !== program) await rm(path, { force: true })
}

/** Starts dockerd, by systemd where that runs, else by itself in a process group of its own with a log in the home. */
async function startDocker(context: EngineContext, socket: string): Promise<DockerVersion> {
  const task = context.progress.task("Starting the Docker Engine", { expectedSeconds: 5 })
  const folder = join(context.home, "docker")
  const log = join(folder, "dockerd.log")
  const mtu = await defaultRouteMtu()
  try {
    await mkdir(folder, { recursive: true })
    let ended: { code: number | null } | undefined
    if (await exists("/run/systemd/system")) {
      if (mtu < 1500 && !(await exists("/etc/docker/daemon.json")) && (await canInstall())) {
        await writeAtomic("/etc/docker/daemon.json", `${JSON.stringify({ mtu }, undefined, 2)}\n`)
      }
      await runHost("systemctl", ["restart", "docker"], { task })
    } else {
      await dropStalePid("/var/run/docker.pid", "dockerd")
      await dropStalePid("/var/run/docker/containerd/containerd.pid", "containerd")
      const file = await open(log, "a")
      const child = spawn(
        (await findCommand("dockerd")) ?? "dockerd",
        ["--host", `unix://${socket}`, "--mtu", String(mtu)],
        {
          detached: true,
          stdio: ["ignore", file.fd, file.fd],
          env: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` },
        },
      )
      child.on("error", () => (ended = { code: null }))
      child.on("exit", (code) => (ended = { code }))
      child.unref()
      await file.close()
    }
    const deadline = Date.now() + 60_000
    for (;;) {
      const version = await dockerVersion(context.docker, 2000)
      if (version !== undefined) {
        task.done(`Docker Engine ${version.version}`)
        return version
      }
      if (ended !== undefined || Date.now() > deadline) {
        const words = lastLines(await readFile(log, "utf8").catch(() => ""), 12)
        throw (
          diskFull(words, "/var/lib/docker") ??
          fault({
            code: "SUPPLY-DOCKER-START",
            kind: "errored",
            message:
              ended === undefined
                ? "The Docker Engine does not answer after 60 s"
                : "The Docker Engine ended right after its start",
            reason: words,
            hint: `Its log is ${log}. Start it by hand (dockerd), then run the same command again.`,
          })
        )
      }
      await sleep(200, undefined, context.signal === undefined ? {} : { signal: context.signal })
    }
  } catch (error) {
    task.fail(error)
    throw error
  }
}
