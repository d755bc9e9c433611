/** What the service is told: a merged YAML file (behaviour, may differ by environment) and the environment (addresses, credentials). */
import { readFileSync } from "node:fs"
import { hostname } from "node:os"
import { parse } from "yaml"
import { readFault } from "./fault.js"

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))
const levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"]

/**
 * Reads the file that GANTRY_CONFIG names (none: the defaults, for a developer's own machine) and the environment.
 * Throws one Error that names every bad field, so that a wrong configuration is seen at the start and whole.
 */
export function loadConfig(env = process.env, readText = (path) => readFileSync(path, "utf8")) {
  const problems = []
  const file = env.GANTRY_CONFIG ? readYaml(env.GANTRY_CONFIG, readText, problems) : {}
  const field = (path) => path.split(".").reduce((node, key) => node?.[key], file)

  const text = (path, fallback) => {
    const value = field(path) ?? fallback
    if (typeof value !== "string" || value === "") problems.push(`${path}: must be text`)
    return value
  }
  const whole = (path, fallback, min, max) => {
    const value = field(path) ?? fallback
    if (!Number.isInteger(value) || value < min || value > max) problems.push(`${path}: must be a whole number from ${min} to ${max}`)
    return value
  }
  const flag = (path, fallback) => {
    const value = field(path) ?? fallback
    if (typeof value !== "boolean") problems.push(`${path}: must be true or false`)
    return value
  }
  const port = (name, fallback) => {
    const value = Number(env[name] || fallback)
    if (!Number.isInteger(value) || value < 0 || value > 65535) problems.push(`${name}: must be a port`)
    return value
  }

  const level = String(field("logging.level.root") ?? "INFO").toUpperCase()
  if (!levels.includes(level)) problems.push(`logging.level.root: must be one of ${levels.join(", ")}`)

  const config = {
    port: port("PORT", 8080),
    identity: {
      service: "service-catalog",
      version,
      commit: env.GANTRY_COMMIT || "unknown",
      environment: text("shop.environment", "local"),
      banner: text("shop.banner", "黑科易购 · LOCAL"),
      instance: env.INSTANCE_ID || hostname(),
    },
    fault: readFaultOf(env, problems),
    currency: text("shop.currency", "CNY"),
    logLevel: level,
    pageSize: whole("catalog.page-size", 20, 1, 100),
    maxPageSize: whole("catalog.max-page-size", 100, 1, 1000),
    lowStockThreshold: whole("catalog.low-stock-threshold", 5, 0, 1_000_000),
    features: { lowStockHint: flag("catalog.features.low-stock-hint", false) },
    shutdown: {
      drainSeconds: whole("shop.shutdown.drain-seconds", 3, 0, 300),
      graceSeconds: whole("shop.shutdown.grace-seconds", 15, 0, 300),
    },
    database: {
      host: env.DB_HOST || "127.0.0.1",
      port: port("DB_PORT", 3306),
      name: env.DB_NAME || "catalog",
      user: env.DB_USER || "catalog",
      password: env.DB_PASSWORD ?? "",
      connections: whole("catalog.database.connections", 10, 1, 200),
    },
  }
  if (problems.length > 0) throw new Error(`The configuration is wrong: ${problems.join("; ")}`)
  return config
}

/** The environment's name is what the deployment says, whatever the file does. */
function readFaultOf(env, problems) {
  try {
    return readFault(env.SHOP_FAULT, env.GANTRY_ENVIRONMENT)
  } catch (error) {
    problems.push(error.message)
    return undefined
  }
}

function readYaml(path, readText, problems) {
  try {
    return parse(readText(path)) ?? {}
  } catch (error) {
    problems.push(`${path}: cannot be read (${error.message.split("\n")[0]})`)
    return {}
  }
}
