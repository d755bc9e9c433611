import { readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { describeEnvironments } from "../../../environments/index.js"
import { placeOf } from "../../../environments/places.js"
import { openLab, type Lab } from "./lab.js"

const input = { replicas: 1, metrics: true, strategy: { kind: "rolling", minReadySeconds: 0 } } as const
let lab: Lab
let test: string
let uat: string
let prod: string

beforeAll(async () => {
  lab = await openLab({ test: input, uat: input, prod: input })
  const image = await lab.image("one")
  const base = { database: "mariadb" as const, calls: ["other"] }
  await Promise.all([
    lab.deploy(lab.release(image, { ...base, config: "where: test\n" }), { environment: "test" }),
    lab.deploy(lab.release(image, { ...base, config: "where: uat\n" }), { environment: "uat" }),
    lab.deploy(lab.release(image, { ...base, config: "where: prod\nonly-prod: 1\n" }), { environment: "prod" }),
  ])
  await lab.deploy(lab.release(image, { service: "other", env: { VERSION: "other" } }), { service: "other" })
  test = (await lab.target("test")).url
  uat = (await lab.target("uat")).url
  prod = (await lab.target("prod")).url
})
afterAll(() => lab.close())

const get = async (base: string, path: string) => (await fetch(`${base}${path}`)).text()
const info = async (base: string) =>
  JSON.parse(await get(base, "/info")) as { env: Record<string, string>; config: string }
const reach = (from: string, host: string, port: number) => get(from, `/reach?host=${host}&port=${port}`)
const container = (environment: string, name: string) => `${lab.project.engine.stack}-shop-${environment}-${name}`
const address = async (environment: string, name: string) => {
  const found = await lab.docker.getContainer(container(environment, name)).inspect()
  return Object.values(found.NetworkSettings.Networks)[0]?.IPAddress ?? ""
}

describe("environments are separate", () => {
  it("an instance reaches the database, balancer and called services of its own environment", async () => {
    const { env } = await info(test)
    expect(await reach(test, env["DB_HOST"] ?? "", 3306)).toBe("open")
    expect(await reach(test, await address("test", "web-db"), 3306)).toBe("open")
    expect(await reach(test, await address("test", "balancer"), 8001)).toBe("open")
    expect(await get(test, `/fetch?url=${env["OTHER_URL"]}`)).toMatch(/^other other-1/)
  })

  it.each([
    ["the Prometheus", "prometheus", 9090],
    ["the database", "web-db", 3306],
    ["the balancer", "balancer", 8001],
    ["an instance", "web-1", 8080],
    ["the balancer's metrics", "balancer", 8405],
  ])("no environment can open a connection to %s of another one", async (_, name, port) => {
    const all = [
      ["test", test],
      ["uat", uat],
      ["prod", prod],
    ] as const
    // Addresses are given outright: that the names do not resolve there is no wall.
    const pairs = all.flatMap(([from, base]) => all.map(([to]) => ({ from, base, to })))
    await Promise.all(
      pairs.map(async ({ from, base, to }) => {
        const met = await reach(base, await address(to, name), port)
        if (from === to) expect(met, `${from} to itself`).toBe("open")
        else expect(met, `${from} to ${to}`).not.toBe("open")
      }),
    )
  })

  it("neither can what runs once beside the instances, a migration", async () => {
    const target = await lab.target("test")
    const [instance] = await target.describe()
    if (instance === undefined) throw new Error("no instance")
    const to = (host: string) =>
      `require("node:net").connect({ host: "${host}", port: 3306, timeout: 1500 }).on("connect", () => { console.log("${host} open"); process.exit() }).on("timeout", () => process.exit()).on("error", () => process.exit())`
    const ask = async (host: string) => {
      const task = { name: "probe", key: host, command: ["node", "-e", to(host)], timeoutSeconds: 30 }
      const end = await target.runOnce(instance.release, task, { signal: new AbortController().signal })
      await target.removeTask("probe")
      return end.log
    }
    expect(await ask("web-db")).toContain("open")
    expect(await ask(await address("uat", "web-db"))).toBe("")
    expect(await ask(await address("prod", "web-db"))).toBe("")
  })

  it("TEST does not reach PROD over the host either: ports are published on loopback only", async () => {
    const [network] = Object.values(
      (await lab.docker.getContainer(container("test", "web-1")).inspect()).NetworkSettings.Networks,
    )
    for (const url of [prod, test]) {
      expect(await reach(test, network?.Gateway ?? "", Number(new URL(url).port))).not.toBe("open")
    }
    const all = await lab.docker.listContainers({ filters: { name: [`${lab.project.engine.stack}-shop`] } })
    const published = all.flatMap((c) => c.Ports.filter((p) => p.PublicPort !== undefined))
    expect(published.length).toBeGreaterThan(0)
    expect(published.every((p) => p.IP === "127.0.0.1")).toBe(true)
  })

  it("credentials differ, let in where they belong, and only there", async () => {
    const [a, b, c] = [await info(test), await info(prod), await info(uat)]
    expect(new Set([a, b, c].map((i) => i.env["DB_PASSWORD"])).size).toBe(3)
    expect(a.env["DB_PASSWORD"]?.length).toBeGreaterThan(20)
    const login = (environment: string, password: string) =>
      lab.exec(
        container(environment, "web-db"),
        ["mariadb", "--protocol=tcp", "-h127.0.0.1", "-uweb", "-e", "SELECT 1", "web"],
        {
          MYSQL_PWD: password,
        },
      )
    expect((await login("test", a.env["DB_PASSWORD"] ?? "")).exitCode).toBe(0)
    for (const other of ["uat", "prod"]) {
      expect((await login(other, a.env["DB_PASSWORD"] ?? "")).output).toMatch(/Access denied/)
    }
  })

  it("a setting of PROD never reaches TEST", async () => {
    expect((await info(test)).config).toBe("where: test\n")
    expect((await info(uat)).config).toBe("where: uat\n")
    expect((await info(prod)).config).toContain("only-prod")
  })

  it("passwords lie in files for their owner alone, and in no label, argument or log", async () => {
    const folder = join(placeOf(lab.project, "test").folder, "services", "web")
    const file = join(folder, "database-password")
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const password = await readFile(file, "utf8")
    const root = await readFile(join(folder, "database-root-password"), "utf8")
    for (const name of ["web-1", "web-db", "balancer"]) {
      const found = await lab.docker.getContainer(container("test", name)).inspect()
      const public_ = JSON.stringify([found.Args, found.Path, found.Config.Labels, found.Config.Cmd])
      expect(public_).not.toContain(password)
      expect(JSON.stringify(found)).not.toContain(root)
    }
    const target = await lab.target("test")
    const [instance] = await target.describe()
    if (instance === undefined) throw new Error("no instance")
    const log = await target.logs(instance, 100)
    expect(log).toContain("starting v1 secret ***")
    expect(log).not.toContain(password)
    const database = await lab.docker.getContainer(container("test", "web-db")).logs({ stdout: true, stderr: true })
    expect(database.toString()).not.toContain(password)
    expect(database.toString()).not.toContain(root)
  })

  it("are described: what runs where, from which commit", async () => {
    const all = await describeEnvironments(lab.project)
    expect(all.map((e) => `${e.environment}/${e.service} ${e.state} ${e.replicas.ready}/${e.replicas.wanted}`)).toEqual(
      [
        "test/web running 1/1",
        "test/other running 1/1",
        "uat/web running 1/1",
        "uat/other empty 0/1",
        "prod/web running 1/1",
        "prod/other empty 0/1",
      ],
    )
    expect(all[0]).toMatchObject({ url: test, release: { commit: "c0ffee", generation: 1 } })
    expect(all[5]?.url).toBeUndefined()
  })

  it("the balancer tells Prometheus about its servers", async () => {
    const ports = (await lab.docker.getContainer(container("test", "balancer")).inspect()).NetworkSettings.Ports
    const metrics = await get(`http://127.0.0.1:${ports["8405/tcp"]?.[0]?.HostPort}`, "/metrics")
    expect(metrics).toMatch(/haproxy_server_http_responses_total\{proxy="web",server="web-1",code="2xx"\} [1-9]/)
  })

  it("says that the password of a database is lost, before anything is touched", async () => {
    const file = join(placeOf(lab.project, "test").folder, "services", "web", "database-password")
    const password = await readFile(file, "utf8")
    const { rm, writeFile } = await import("node:fs/promises")
    await rm(file)
    const image = await lab.image("one")
    const error: unknown = await lab
      .deploy(lab.release(image, { database: "mariadb", env: { VERSION: "v2" } }))
      .catch((e: unknown) => e)
    expect(error).toMatchObject({ code: "ENV-DATABASE-LOCKED" })
    expect(await get(test, "/")).toMatch(/^v1/)
    await writeFile(file, password, { mode: 0o600 })
  })
})
