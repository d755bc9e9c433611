/** Puts the parts together: one catalog service, to be started and stopped. */
import { once } from "node:events"
import { setTimeout as delay } from "node:timers/promises"
import { createPool, ping, reachable } from "./database.js"
import { withFault } from "./fault.js"
import { createLifecycle } from "./lifecycle.js"
import { createLog } from "./log.js"
import { createMetrics } from "./metrics.js"
import { migrate, migrationsFolder, readMigrations } from "./migrate.js"
import { createProducts } from "./products.js"
import { createRoutes } from "./routes.js"
import { createHttpServer } from "./server.js"

/** `write` receives the log's lines; standard output unless given. */
export function createApp(config, write) {
  const logOf = createLog({ ...config.identity, level: config.logLevel, ...(write ? { write } : {}) })
  const log = logOf("catalog.App")
  const pool = createPool(config.database)
  const metrics = createMetrics(config.identity)
  const lifecycle = createLifecycle(logOf("catalog.Lifecycle"))
  const products = createProducts(pool)
  const checkReady = () => reachable(pool)
  const routes = withFault(config.fault, createRoutes({ config, products, metrics, lifecycle, checkReady, log: logOf("catalog.Products") }))
  const server = createHttpServer({ routes, lifecycle, metrics, log: logOf("catalog.Http") })

  /** A database that is not there yet is waited for: whoever deploys sees it by /ready and in the log. */
  const databaseAnswers = async () => {
    for (let wait = 250; lifecycle.state() === "starting"; wait = Math.min(wait * 2, 1_000)) {
      try {
        await ping(pool)
        return true
      } catch (error) {
        const { host, port } = config.database
        log.warn(`The database at ${host}:${port} does not answer (${error.message || error.code}); asking again in ${wait} ms`)
        await delay(wait)
      }
    }
    return false
  }

  return {
    log,
    state: lifecycle.state,

    /** Answers the port as soon as it listens. Throws when the port cannot be used. */
    async listen() {
      server.listen(config.port)
      await once(server, "listening")
      const { version, commit, environment } = config.identity
      const { port } = server.address()
      log.info(`Version ${version} (commit ${commit}) listens on port ${port} for ${environment}`)
      return port
    },

    /** Waits for the database, migrates it and takes up business. Throws when a migration is refused. */
    async prepare() {
      const migrations = await readMigrations(migrationsFolder)
      if (!(await databaseAnswers())) return
      await migrate(pool, migrations, logOf("catalog.Migrations"))
      lifecycle.ready()
      log.info("Ready")
    },

    /** Drains, closes the server, then the database connections. */
    async stop() {
      const clean = await lifecycle.stop(server, config.shutdown)
      await pool.end()
      log.info("Stopped")
      return clean
    },
  }
}
