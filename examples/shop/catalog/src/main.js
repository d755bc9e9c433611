/** The process: configuration in, signals, exit codes (0 stopped in order, 1 broke, 2 wrong configuration). */
import { createApp } from "./app.js"
import { loadConfig } from "./config.js"

const app = createApp(readConfig())

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.on(signal, () => {
    app.log.info(`${signal} received`)
    app.stop().then(() => process.exit(0), giveUp("It did not stop in order"))
  })
}
process.on("unhandledRejection", giveUp("An error was not handled"))

await app.listen().catch(giveUp("The port cannot be used"))
await app.prepare().catch(giveUp("The database could not be prepared"))

function giveUp(message) {
  return (error) => {
    app.log.error(message, error)
    process.exit(1)
  }
}

/** A wrong configuration comes before there is a log to write to. */
function readConfig() {
  try {
    return loadConfig()
  } catch (error) {
    process.stderr.write(`${error.message}\n`)
    process.exit(2)
  }
}
