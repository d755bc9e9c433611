import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { engineConfig } from "../../../engine/config.js"
import { dockerHost, dockerOptions } from "../../../engine/docker/client.js"
import { decideDocker, type DockerSituation } from "../../../engine/docker/decide.js"
import { defaultRouteMtu } from "../../../engine/docker/mtu.js"

const nothing: DockerSituation = {
  host: "unix:///var/run/docker.sock",
  configured: false,
  denied: false,
  installed: false,
  root: false,
  debian: true,
}

describe("where no Docker Engine answers", () => {
  it.each<[string, Partial<DockerSituation>, string]>([
    ["root on Debian installs one", { root: true }, "install"],
    ["root starts an installed one", { root: true, installed: true }, "start"],
    ["root elsewhere is told to install one", { root: true, debian: false }, "SUPPLY-NO-DOCKER"],
    ["a user without one is told what root has to do", {}, "SUPPLY-NO-DOCKER"],
    ["a user with a stopped one as well", { installed: true }, "SUPPLY-NO-DOCKER"],
    ["a named one that does not answer is not replaced", { root: true, configured: true }, "SUPPLY-NO-DOCKER"],
    ["a socket that may not be opened", { denied: true, installed: true }, "SUPPLY-DOCKER-DENIED"],
  ])("%s", (_name, situation, expected) => {
    const decision = decideDocker({ ...nothing, ...situation })
    expect(decision.action === "fault" ? decision.fault.code : decision.action).toBe(expected)
  })

  it("says to a user without root which command helps", () => {
    const decision = decideDocker(nothing)
    expect(decision.action === "fault" ? decision.fault.hint : "").toContain("apt-get install docker.io iptables")
  })
})

describe("addresses", () => {
  it("DOCKER_HOST, then the configuration before it", () => {
    expect(dockerHost(engineConfig.parse({}), {})).toBe("unix:///var/run/docker.sock")
    expect(dockerHost(engineConfig.parse({}), { DOCKER_HOST: "tcp://127.0.0.1:2375" })).toBe("tcp://127.0.0.1:2375")
    const config = engineConfig.parse({ docker: { host: "unix:///x.sock" } })
    expect(dockerHost(config, { DOCKER_HOST: "tcp://127.0.0.1:2375" })).toBe("unix:///x.sock")
  })

  it("becomes dockerode's options", () => {
    expect(dockerOptions("unix:///x.sock", {})).toEqual({ socketPath: "/x.sock" })
    expect(dockerOptions("tcp://127.0.0.1", {})).toEqual({ host: "127.0.0.1", port: 2375, protocol: "http" })
  })
})

describe("MTU of the default route", () => {
  let root: string
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "gantry-mtu-"))
    await mkdir(join(root, "proc/net"), { recursive: true })
    await mkdir(join(root, "sys/class/net/eth7"), { recursive: true })
  })
  afterEach(() => rm(root, { recursive: true }))
  const routes = "Iface\tDestination\tGateway\ndocker0\t000011AC\t0\neth7\t00000000\t010200C0\n"

  it.each([
    ["1400\n", 1400],
    ["9000\n", 1500],
    ["nonsense", 1500],
  ])("of %j is %d", async (text, expected) => {
    await writeFile(join(root, "proc/net/route"), routes)
    await writeFile(join(root, "sys/class/net/eth7/mtu"), text)
    expect(await defaultRouteMtu(root)).toBe(expected)
  })

  it("without a default route is Ethernet's", async () => {
    await writeFile(join(root, "proc/net/route"), "Iface\tDestination\tGateway\n")
    expect(await defaultRouteMtu(root)).toBe(1500)
  })
})
