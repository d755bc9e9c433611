import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { haproxyConfig, readinessMap, type BalancerModel } from "../../../environments/docker/haproxy-config.js"
import {
  parseServers,
  readServers,
  runtimeCommands,
  type ServerView,
} from "../../../environments/docker/haproxy-runtime.js"

const model: BalancerModel = {
  services: {
    order: {
      port: 8002,
      slots: { 1: { address: "172.20.0.129", port: 8080, readiness: "/actuator/ready", state: "on", weight: 100 } },
    },
    catalog: {
      port: 8001,
      slots: {
        1: { address: "172.20.0.65", port: 8080, readiness: "/ready", state: "on", weight: 100 },
        2: { address: "172.20.0.66", port: 3000, readiness: "/ready?deep", state: "probe", weight: 100 },
        10: { address: "172.20.0.74", port: 8080, readiness: "/", state: "off", weight: 100 },
      },
    },
  },
}

describe("haproxy.cfg", () => {
  it("is what the model says", async () => {
    await expect(haproxyConfig(model)).toMatchFileSnapshot("haproxy.golden.cfg")
  })
  it("has the path of the check for every server beside it", () => {
    expect(readinessMap(model)).toBe("catalog-1 /ready\ncatalog-10 /\ncatalog-2 /ready?deep\norder-1 /actuator/ready\n")
  })
})

// As HAProxy 3.0.11 prints them.
const state = `1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port
4 catalog 1 catalog-1 172.20.0.65 2 4 100 100 3 15 3 2 6 0 0 0 - 8080 - 0 0 - - 0
4 catalog 2 catalog-2 172.20.0.66 0 12 100 100 32 1 0 0 14 0 0 0 - 8080 - 0 0 - - 0
4 catalog 3 catalog-10 172.20.0.74 0 5 50 100 32 1 0 0 14 0 0 0 - 8080 - 0 0 - - 0
`
const stat = `# pxname,svname,qcur,scur,status,check_status,check_code,last_chk,check_desc,addr,
catalog,catalog-1,0,3,UP,L7OK,200,,Layer7 check passed,172.20.0.65:8080,
catalog,catalog-2,0,0,DOWN,* L7STS,503,"Service ""very"" busy, try later",Layer7 wrong status,172.20.0.66:8080,
catalog,catalog-10,0,0,MAINT,,,,,172.20.0.74:8080,
`

describe("what HAProxy says", () => {
  it("is read from its two tables", () => {
    const servers = parseServers(state, stat)
    expect(servers.get("catalog-1")).toEqual({
      state: "on",
      weight: 100,
      healthy: true,
      sessions: 3,
      address: "172.20.0.65:8080",
      check: "Layer7 check passed, code 200",
    })
    expect(servers.get("catalog-2")).toMatchObject({
      state: "probe",
      healthy: false,
      check: 'Layer7 wrong status, code 503, Service "very" busy, try later',
    })
    expect(servers.get("catalog-10")).toMatchObject({ state: "off", weight: 50, check: undefined })
  })
  it.each([
    ["L7STS,503,,Layer7 wrong status", "Layer7 wrong status, code 503"],
    ["* L7STS,503,,Layer7 wrong status", "Layer7 wrong status, code 503"],
    // While a check runs the code of the one before may be gone already.
    ["* L7STS,0,,Layer7 wrong status", undefined],
    ["L7TOUT,0,,Layer7 timeout", "Layer7 timeout"],
    ["L4CON,,Connection refused,Layer4 connection problem", "Layer4 connection problem, Connection refused"],
    ["INI,,,", undefined],
  ])("says of the last check %s: %s", (cells, check) => {
    const line = stat.replace(/^catalog,catalog-1,.*$/m, `catalog,catalog-1,0,3,UP,${cells},172.20.0.65:8080,`)
    expect(parseServers(state, line).get("catalog-1")?.check).toBe(check)
  })
})

describe("a balancer that dies in the middle of its answer", () => {
  it("is said to be silent, and not to have no servers", async () => {
    const folder = await mkdtemp(join(tmpdir(), "gantry-haproxy-"))
    const haproxy = createServer((connection) => connection.resume().end(state))
    await new Promise<void>((resolve) => haproxy.listen(join(folder, "admin.sock"), resolve))
    await expect(readServers(join(folder, "admin.sock"))).rejects.toMatchObject({ code: "ENV-BALANCER-SILENT" })
    await new Promise((resolve) => haproxy.close(resolve))
    await rm(folder, { recursive: true })
  })
})

describe("commands to HAProxy", () => {
  const views = (over: Record<string, Partial<ServerView>>) =>
    new Map(
      Object.entries(over).map(([name, view]): [string, ServerView] => [
        name,
        { state: "off", weight: 100, healthy: false, sessions: 0, address: "", check: undefined, ...view },
      ]),
    )
  const commands = (over: Record<string, Partial<ServerView>>) => runtimeCommands(model, views(over), "/map")

  it("are none where all is as it should be", () => {
    expect(
      commands({
        "catalog-1": { state: "on", address: "172.20.0.65:8080" },
        "catalog-2": { state: "probe", address: "172.20.0.66:3000" },
        "catalog-10": { state: "off" },
        "order-1": { state: "on", address: "172.20.0.129:8080" },
      }),
    ).toEqual([])
  })
  it("have a server checked as down until it answers, on its own port and path", () => {
    expect(commands({ "catalog-2": { address: "172.20.0.66:8080" } })).toEqual([
      "set server catalog/catalog-2 addr 172.20.0.66 port 3000",
      "set map /map catalog-2 /ready?deep",
      "set server catalog/catalog-2 state drain",
      "set server catalog/catalog-2 health down",
    ])
  })
  it("drain one that served without touching its health", () => {
    expect(commands({ "catalog-2": { state: "on", address: "172.20.0.66:3000", healthy: true } })).toEqual([
      "set server catalog/catalog-2 state drain",
    ])
  })
  it("give traffic and weight", () => {
    expect(commands({ "catalog-1": { state: "probe", weight: 5, address: "172.20.0.65:8080" } })).toEqual([
      "set server catalog/catalog-1 weight 100",
      "set server catalog/catalog-1 state ready",
    ])
  })
  it("take one out that has no instance any more", () => {
    expect(commands({ "catalog-10": { state: "on" } })).toEqual(["set server catalog/catalog-10 state maint"])
  })
})
