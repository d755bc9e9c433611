import { spawn } from "node:child_process"
import { readFileSync, rmSync } from "node:fs"
import { createInterface } from "node:readline"

/** Of a part that is red without a red test, what it said last. */
const tail = 15

/** Removes what a part reported when it ran before. */
export function forget({ report, red }) {
  for (const file of [report, red]) if (file !== undefined) rmSync(file, { force: true })
}

/**
 * Runs a part and tells what came of it: tests that passed and failed, why it is red (none: it is not), whether that stops
 * what builds on it, what was red in it, and the files of red tests where they are all that is wrong.
 */
export async function runPart(part, say) {
  const since = Date.now()
  say(part.name, "=== begins")
  const { code, last } = await run(part, say)
  say(part.name, `=== ${code === 0 ? "ok" : `exit code ${code}`}, ${seconds(since)}`)
  const found =
    part.report === undefined ? { passed: 0, failed: 0, files: [] } : count(part.name, read(part.report), code)
  const named = read(part.red) ?? []
  const texts = (code !== 0 && named.length === 0 ? last : named).map((text) => `${part.name} | ${text}`)
  const why = found.why ?? (code === 0 ? undefined : part.name)
  return { part, ...found, why, stops: code !== 0 && part.vital === true, texts }
}

/** One that had to wait for a part that is red. */
export function notRun(part, say) {
  say(part.name, "=== not run: what it builds on is red")
  return { part, passed: 0, failed: 0, why: part.name, stops: true, texts: [], files: [] }
}

export const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`

/** JSON of a file; undefined where there is none. */
export function read(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"))
  } catch {
    return undefined
  }
}

function count(name, report, code) {
  const { numPassedTests: passed = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0 } = report ?? {}
  const skipped = numPendingTests + numTodoTests
  // A file that cannot be loaded has no failed test, and is red all the same.
  const failed = (code !== 0 && numFailedTests === 0 ? 1 : numFailedTests) + skipped
  const why =
    skipped > 0
      ? `${name}: ${skipped} tests were skipped, and no test of Gantry passes by skipping`
      : report?.numTotalTests === 0
        ? `${name}: no test ran`
        : undefined
  const red = (report?.testResults ?? []).filter(({ status }) => status === "failed")
  return { passed, failed, why, files: why === undefined ? red.map((file) => file.name) : [] }
}

function run({ name, red, command: [command, ...args] }, say) {
  const env = red === undefined ? process.env : { ...process.env, TEST_RED: red }
  const last = []
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env })
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream, crlfDelay: Infinity }).on("line", (line) => {
        say(name, line)
        last.push(line)
        if (last.length > tail) last.shift()
      })
    }
    child.on("error", () => resolve({ code: 127, last }))
    child.on("close", (code, signal) => resolve({ code: signal === null ? code : 1, last }))
  })
}
