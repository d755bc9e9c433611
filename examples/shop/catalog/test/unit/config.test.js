import { describe, expect, test } from "vitest"
import { loadConfig } from "../../src/config.js"

const load = (text, env = {}) => loadConfig({ GANTRY_CONFIG: "/config/application.yml", ...env }, () => text)

describe("loadConfig", () => {
  test("has defaults for a developer's own machine, without a file", () => {
    const config = loadConfig({})
    expect(config).toMatchObject({ port: 8080, pageSize: 20, logLevel: "INFO", identity: { environment: "local", commit: "unknown" } })
    expect(config.database).toMatchObject({ host: "127.0.0.1", port: 3306, name: "catalog" })
  })

  test("takes behaviour from the file and addresses from the environment", () => {
    const text = `
shop: { environment: uat, banner: UAT, shutdown: { drain-seconds: 1, grace-seconds: 2 } }
logging: { level: { root: warn } }
catalog: { page-size: 7, features: { low-stock-hint: true } }`
    const config = load(text, { DB_HOST: "db", DB_PORT: "3307", DB_USER: "u", DB_PASSWORD: "p", DB_NAME: "n", GANTRY_COMMIT: "abc", PORT: "9000" })
    expect(config).toMatchObject({
      port: 9000,
      identity: { environment: "uat", banner: "UAT", commit: "abc" },
      logLevel: "WARN",
      pageSize: 7,
      features: { lowStockHint: true },
      shutdown: { drainSeconds: 1, graceSeconds: 2 },
      database: { host: "db", port: 3307, user: "u", password: "p", name: "n" },
    })
  })

  test("names every wrong field at once", () => {
    const text = `
shop: { environment: 5 }
logging: { level: { root: LOUD } }
catalog: { page-size: 0, features: { low-stock-hint: "yes" } }`
    expect(() => load(text, { DB_PORT: "many" })).toThrowError(
      /logging\.level\.root.*shop\.environment.*catalog\.page-size.*low-stock-hint.*DB_PORT/,
    )
  })

  test("says when the file is not YAML, and when it is not there", () => {
    expect(() => load("a: [")).toThrowError("/config/application.yml: cannot be read")
    expect(() => loadConfig({ GANTRY_CONFIG: "/nowhere/application.yml" })).toThrowError(/nowhere.*ENOENT/)
  })
})
