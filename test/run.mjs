// `npm test`: everything, one part after the other, saying what it does and how long it took.
//   node test/run.mjs [unit]      the fast subset
import { spawn } from "node:child_process"
import { mkdirSync, readFileSync, rmSync } from "node:fs"

const only = process.argv[2]
const results = "coverage/test-results"
rmSync(results, { recursive: true, force: true })
mkdirSync(results, { recursive: true })

const vitest = (project) => ({
  title: `${project} tests`,
  report: `${results}/${project}.json`,
  command: [
    "npx",
    "vitest",
    "run",
    "--project",
    project,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${results}/${project}.json`,
  ],
})
const parts = [
  { title: "build", command: ["npm", "run", "--silent", "build"] },
  { title: "lint", command: ["npm", "run", "--silent", "lint"] },
  { title: "types", command: ["npm", "run", "--silent", "typecheck"] },
  vitest("unit"),
  vitest("command"),
  { title: "supply: the components that the next tests use", command: ["node", "dist/cli/main.js", "stack", "up"] },
  vitest("integration"),
  vitest("e2e"),
]

const wanted = only === "unit" ? parts.filter((part) => part.title === "unit tests") : parts
const started = Date.now()
const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`
let passed = 0
let failed = 0
let broken
for (const [index, part] of wanted.entries()) {
  const since = Date.now()
  console.log(`\n=== ${index + 1}/${wanted.length} ${part.title}`)
  const code = await run(part.command)
  console.log(`=== ${part.title}: ${code === 0 ? "ok" : `exit code ${code}`}, ${seconds(since)}`)
  if (part.report !== undefined) {
    const report = read(part.report)
    passed += report?.numPassedTests ?? 0
    failed += report?.numFailedTests ?? 0
    // A file that cannot be loaded has no failed test, and is red all the same.
    if (code !== 0 && (report?.numFailedTests ?? 0) === 0) failed += 1
    const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0)
    if (skipped > 0) {
      console.log(`${skipped} tests were skipped: no test of Gantry passes by skipping`)
      failed += skipped
    }
    if (report !== undefined && report.numTotalTests === 0) broken ??= `${part.title}: no test ran`
  }
  if (code !== 0) broken ??= part.title
  // Later parts stand on the earlier ones; tests of one kind say something also when another kind is red.
  if (code !== 0 && part.report === undefined) break
}
console.log(`\n${broken === undefined ? "All is well" : `Red: ${broken}`}, ${seconds(started)} in all`)
console.log(`Tests: ${passed} passed, ${failed} failed`)
process.exit(broken === undefined && failed === 0 ? 0 : 1)

function run([command, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"] })
    child.on("error", () => resolve(127))
    child.on("exit", (code, signal) => resolve(signal === null ? code : 1))
  })
}

function read(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"))
  } catch {
    return undefined
  }
}
