/**
 * Log lines as section 5.2.1 of the deployment strategy wants them:
 * `[time] [level] [service] [instance] [thread] [class] - content`.
 * Node has no threads to name, so the request's id stands there: all lines of one request can be found by it.
 */
import { AsyncLocalStorage } from "node:async_hooks"

const levels = { TRACE: 0, DEBUG: 1, INFO: 2, WARN: 3, ERROR: 4 }
const thread = new AsyncLocalStorage()

/** Runs `work` so that every line logged within, however deep, carries `name` as its thread. */
export const withThread = (name, work) => thread.run(name, work)

/** Answers `(className) => { trace, debug, info, warn, error }`; `error` of a line, when given, is added with its stack. */
export function createLog({ service, instance, level, write = (line) => process.stdout.write(line), now = () => new Date() }) {
  const line = (name, className, message, error) => {
    const place = `[${stamp(now())}] [${name}] [${service}] [${instance}] [${thread.getStore() ?? "main"}] [${className}]`
    const stack = error === undefined ? "" : `\n${indent(error?.stack ?? String(error))}`
    write(`${place} - ${oneLine(message)}${stack}\n`)
  }
  return (className) =>
    Object.fromEntries(
      Object.entries(levels).map(([name, rank]) => [
        name.toLowerCase(),
        (message, error) => rank >= levels[level] && line(name, className, message, error),
      ]),
    )
}

/** A caller's text must not be able to forge a line of its own. */
const oneLine = (text) => String(text).replaceAll(/[\r\n]+/g, "\\n")
const indent = (text) => text.split("\n").map((part) => `\t${part}`).join("\n")

const two = (n) => String(n).padStart(2, "0")
function stamp(date) {
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, "0")}`
}
