import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { engineConfig } from "../../../../engine/config.js"
import { secureSonarqube, sonarqubeAdmin, sonarqubeAdminFile } from "../../../../engine/stack/sonarqube-admin.js"
import { fakeSonarQube } from "../../../fakes/sonarqube.js"

async function home() {
  const folder = await mkdtemp(join(tmpdir(), "gantry-test-"))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const config = engineConfig.parse({ home: folder })
  return { config, file: sonarqubeAdminFile(config) }
}

const changed = (server: { readonly requests: string[] }) =>
  server.requests.filter((request) => request.includes("change_password")).length

describe("the administrator of the stack's SonarQube", () => {
  it("gets a password of its own, which only its owner can read", async () => {
    const { config, file } = await home()
    const server = await fakeSonarQube()
    await secureSonarqube(config, "SERVER-1", { url: server.url })
    const { login, password } = await sonarqubeAdmin(config)
    expect(login).toBe("admin")
    expect(server.password).toBe(password)
    // SonarQube's rule: twelve characters, lower and upper case, a digit, a special one.
    expect(password).toMatch(/^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*[^A-Za-z0-9]).{12,}$/)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  })

  it("costs no request when it is done, and is done anew for a server whose data was thrown away", async () => {
    const { config } = await home()
    const server = await fakeSonarQube()
    await secureSonarqube(config, "SERVER-1", { url: server.url })
    const before = server.requests.length
    await secureSonarqube(config, "SERVER-1", { url: server.url })
    expect(server.requests.length).toBe(before)

    const fresh = await fakeSonarQube()
    await secureSonarqube(config, "SERVER-2", { url: fresh.url })
    expect(fresh.password).toBe(server.password)
  })

  it("recovers when it was interrupted before the server heard of it", async () => {
    const { config, file } = await home()
    const server = await fakeSonarQube()
    server.next("api/users/change_password", "hang up")
    await expect(secureSonarqube(config, "SERVER-1", { url: server.url })).rejects.toThrow()
    const recorded = (JSON.parse(await readFile(file, "utf8")) as { password: string }).password
    expect(server.password).toBe("admin")
    await secureSonarqube(config, "SERVER-1", { url: server.url })
    expect(server.password).toBe(recorded)
  })

  it("recovers when it was interrupted after the server had changed it", async () => {
    const { config, file } = await home()
    const server = await fakeSonarQube()
    await secureSonarqube(config, "SERVER-1", { url: server.url })
    const { server: _done, ...started } = JSON.parse(await readFile(file, "utf8")) as Record<string, string>
    await writeFile(file, JSON.stringify(started))
    await secureSonarqube(config, "SERVER-1", { url: server.url })
    expect(changed(server)).toBe(1)
    expect((JSON.parse(await readFile(file, "utf8")) as Record<string, string>)["server"]).toBe("SERVER-1")
  })

  it("is agreed upon by processes that come at the same time", async () => {
    const { config } = await home()
    const server = await fakeSonarQube()
    await Promise.all(Array.from({ length: 5 }, () => secureSonarqube(config, "SERVER-1", { url: server.url })))
    expect(server.password).toBe((await sonarqubeAdmin(config)).password)
  })

  it("is not guessed when somebody else set it", async () => {
    const { config, file } = await home()
    const server = await fakeSonarQube()
    server.password = "Somebody-else-1"
    await expect(secureSonarqube(config, "SERVER-1", { url: server.url })).rejects.toMatchObject({
      code: "STACK-SONARQUBE-PASSWORD",
      kind: "errored",
      reason: expect.stringContaining(file) as string,
    })
    expect(server.password).toBe("Somebody-else-1")
  })

  it("says what to do without a record, or with a broken one", async () => {
    const { config, file } = await home()
    await expect(sonarqubeAdmin(config)).rejects.toMatchObject({ hint: "gantry stack up sonarqube" })
    const server = await fakeSonarQube()
    await secureSonarqube(config, "SERVER-1", { url: server.url })
    await writeFile(file, "{")
    await expect(sonarqubeAdmin(config)).rejects.toMatchObject({ code: "STACK-SONARQUBE-PASSWORD" })
    expect(dirname(file)).toMatch(/state\/gantry$/)
  })
})
