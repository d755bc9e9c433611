// `npm test`: everything, saying what it does and how long it took. Parts that do not need each other run side by side.
//   node test/run.mjs [unit]      the fast subset
import { spawn } from "node:child_process"
import { mkdirSync, readFileSync, rmSync } from "node:fs"
import { createInterface } from "node:readline"

const only = process.argv[2]
const results = "coverage/test-results"
rmSync(results, { recursive: true, force: true })
mkdirSync(results, { recursive: true })

const npm = (script) => ["npm", "run", "--silent", script]
const tests = (name, project, after, filters = []) => {
  const report = `${results}/${name}.json`
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`]
  return { name, after, report, command: ["npx", "vitest", "run", "--project", project, ...reporters, ...filters] }
}

/** `after`: parts that have to be through; those with `vital` have to be green as well. */
const parts = [
  { name: "build", after: [], vital: true, command: npm("build") },
  { name: "lint", after: ["build"], command: npm("lint") },
  { name: "types", after: ["lint"], command: npm("typecheck") },
  tests("unit", "unit", ["types"]),
  tests("command", "command", ["unit"]),
  // The components that the next tests use.
  { name: "supply", after: ["build"], vital: true, command: ["node", "dist/cli/main.js", "stack", "up"] },
  tests("integration", "integration", ["supply"]),
  tests("e2e", "e2e", ["supply"]),
  // Kills the engine that everything else works with, so everything else is done by then.
  tests("engine-killed", "engine-killed", ["command", "integration", "e2e"]),
]
const wanted = only === "unit" ? [tests("unit", "unit", [])] : parts
const width = Math.max(...wanted.map((part) => part.name.length))

const started = Date.now()
const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`
const say = (name, text) => console.log(wanted.length === 1 ? text : `${name.padEnd(width)} | ${text}`)
let passed = 0
let failed = 0
const red = []

/** Ends with true when what builds on the part can go on. */
const running = new Map()
for (const part of wanted) running.set(part.name, start(part))
await Promise.all(running.values())

console.log(`\n${red.length === 0 ? "All is well" : `Red: ${red.join(", ")}`}, ${seconds(started)} in all`)
console.log(`Tests: ${passed} passed, ${failed} failed`)
process.exit(red.length === 0 && failed === 0 ? 0 : 1)

async function start(part) {
  const before = await Promise.all(part.after.map((name) => running.get(name)))
  if (before.includes(false)) {
    say(part.name, "=== not run: what it builds on is red")
    red.push(part.name)
    return false
  }
  const since = Date.now()
  say(part.name, "=== begins")
  const code = await run(part)
  const problem = part.report === undefined ? undefined : count(part, code)
  if (code !== 0 || problem !== undefined) red.push(problem ?? part.name)
  say(part.name, `=== ${code === 0 ? "ok" : `exit code ${code}`}, ${seconds(since)}`)
  return code === 0 || part.vital !== true
}

/** Adds the part's tests to the sum; answers what is wrong with it although it ended well. */
function count(part, code) {
  const report = read(part.report)
  passed += report?.numPassedTests ?? 0
  failed += report?.numFailedTests ?? 0
  // A file that cannot be loaded has no failed test, and is red all the same.
  if (code !== 0 && (report?.numFailedTests ?? 0) === 0) failed += 1
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0)
  failed += skipped
  if (skipped > 0) return `${part.name}: ${skipped} tests were skipped, and no test of Gantry passes by skipping`
  return report?.numTotalTests === 0 ? `${part.name}: no test ran` : undefined
}

function run({ name, command: [command, ...args] }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] })
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream, crlfDelay: Infinity }).on("line", (line) => say(name, line))
    }
    child.on("error", () => resolve(127))
    child.on("close", (code, signal) => resolve(signal === null ? code : 1))
  })
}

function read(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"))
  } catch {
    return undefined
  }
}
