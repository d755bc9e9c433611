// `npm test`: what a change is tested with, saying what it does and how long it took. Parts that do not need each other run side
// by side. What takes long and is about one thing has a command of its own.
//   node test/run.mjs unit         the fast subset
//   node test/run.mjs gitlab       both services of the shop by the jobs that GitLab gets, and as on a laptop
//   node test/run.mjs engine       how components come to a machine, from packages and from mirrors, and what kills them
//   node test/run.mjs kubernetes   what needs the cluster of test/lab/kubernetes
//   node test/run.mjs rest         the last three, side by side: what CI runs after `npm test`
// Where TEST_SUM names a file, several of these are one sum.
import { spawn } from "node:child_process"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createInterface } from "node:readline"

const only = process.argv[2]
const results = "coverage/test-results"
mkdirSync(results, { recursive: true })

const npm = (script) => ["npm", "run", "--silent", script]
const tests = (name, project, after, filters = []) => {
  const report = `${results}/${name}.json`
  const reporters = ["default", "json", "./test/red.mjs"].map((reporter) => `--reporter=${reporter}`)
  const vitest = ["npx", "vitest", "run", "--project", project, ...reporters, `--outputFile.json=${report}`]
  return { name, after, report, red: `${results}/${name}.red.json`, command: [...vitest, ...filters] }
}

/** `after`: parts that have to be through; those with `vital` have to be green as well. */
const build = { name: "build", after: [], vital: true, command: npm("build") }
/** The components that tests use. */
const supply = { name: "supply", after: ["build"], vital: true, command: ["node", "dist/cli/main.js", "stack", "up"] }
/** Three lanes: what needs processors, deliveries, and rollouts, which wait for much of their time. */
const everyday = [
  build,
  { name: "lint", after: ["build"], command: npm("lint") },
  { name: "types", after: ["lint"], command: npm("typecheck") },
  tests("unit", "unit", ["types"]),
  tests("command", "command", ["unit"]),
  supply,
  tests("integration", "integration", ["supply", "command"]),
  tests("e2e", "e2e", ["supply"]),
  // What these need of the components is made in a minute, by themselves.
  tests("environments", "environments", ["build"]),
]
const gitlab = (...after) => tests("gitlab", "gitlab", ["supply", ...after])
const engine = (...after) => tests("engine", "engine", ["supply", ...after])
/** Kills the engine that everything else works with, so everything else is done by then. */
const killed = (...after) => tests("engine-killed", "engine-killed", after)
/** What needs the cluster, in two lanes side by side: it waits for much of its time. Then what takes the cluster from others. */
const onCluster = (afterFirst, afterSecond) => [
  tests("pods", "kubernetes", afterFirst, ["test/kubernetes/environment"]),
  tests("rollouts", "kubernetes", afterSecond, ["test/kubernetes/rollouts"]),
  tests("alone", "kubernetes-alone", ["pods", "rollouts"]),
]
const suites = {
  unit: () => [tests("unit", "unit", [])],
  gitlab: () => [build, supply, gitlab()],
  engine: () => [build, supply, engine(), killed("engine")],
  kubernetes: () => onCluster([], []),
  rest: () => [
    build,
    supply,
    gitlab(),
    engine(),
    // Where nothing is there yet its programs are built from the beginning: nobody waits for them alone.
    { name: "lab", after: ["supply"], vital: true, command: [...npm("lab:kubernetes"), "--", "prepare"] },
    // The second lane when there are processors left for it.
    ...onCluster(["lab"], ["lab", "engine"]),
    killed("gitlab", "engine", "alone"),
  ],
}
const wanted = suites[only]?.() ?? everyday
const width = Math.max(...wanted.map((part) => part.name.length))

const started = Date.now()
const earlier = read(process.env.TEST_SUM)
for (const { report, red } of wanted)
  for (const file of [report, red]) if (file !== undefined) rmSync(file, { force: true })
const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`
const say = (name, text) => console.log(wanted.length === 1 ? text : `${name.padEnd(width)} | ${text}`)
let passed = 0
let failed = 0
const red = []
const redTests = []
/** Of a part that is red without a red test, what it said last. */
const tail = 15

/** Ends with true when what builds on the part can go on. */
const running = new Map()
for (const part of wanted) running.set(part.name, start(part))
await Promise.all(running.values())

// Last of all, so that the end of a CI log tells what was red.
if (redTests.length > 0) console.log(`\n${redTests.join("\n")}`)
console.log(`\n${red.length === 0 ? "All is well" : `Red: ${red.join(", ")}`}, ${seconds(started)} in all`)
console.log(`Tests: ${passed} passed, ${failed} failed`)
if (process.env.TEST_SUM !== undefined) sumUp()
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
  const { code, last } = await run(part)
  const problem = part.report === undefined ? undefined : count(part, code)
  if (code !== 0 || problem !== undefined) red.push(problem ?? part.name)
  const named = read(part.red) ?? []
  redTests.push(...(code !== 0 && named.length === 0 ? last : named).map((text) => `${part.name} | ${text}`))
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

function run({ name, red, command: [command, ...args] }) {
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

/** With what ran before, so that the last lines tell everything. */
function sumUp() {
  const sum = {
    passed: passed + (earlier?.passed ?? 0),
    failed: failed + (earlier?.failed ?? 0),
    red: [...(earlier?.red ?? []), ...red],
    redTests: [...(earlier?.redTests ?? []), ...redTests],
  }
  writeFileSync(process.env.TEST_SUM, JSON.stringify(sum))
  if (earlier === undefined) return
  if (earlier.redTests.length > 0) console.log(`\nBefore that:\n${earlier.redTests.join("\n")}`)
  console.log(`\nBoth: ${sum.red.length === 0 ? "all is well" : `red: ${sum.red.join(", ")}`}`)
  console.log(`Tests: ${sum.passed} passed, ${sum.failed} failed`)
}

function read(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"))
  } catch {
    return undefined
  }
}
