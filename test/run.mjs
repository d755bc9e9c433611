// `npm test`: what a change is tested with, saying what it does and how long it took. Parts that do not need each other run side
// by side. What takes long and is about one thing has a command of its own.
//   node test/run.mjs unit         the fast subset
//   node test/run.mjs gitlab       both services of the shop by the jobs that GitLab gets, and as on a laptop
//   node test/run.mjs engine       how components come to a machine, from packages and from mirrors, and what kills them
//   node test/run.mjs kubernetes   what needs the cluster of test/lab/kubernetes
//   node test/run.mjs rest         the last three, side by side: what CI runs after `npm test`
// Where TEST_SUM names a file, several of these are one sum.
import { mkdirSync } from "node:fs"
import { onceMore } from "./run/again.mjs"
import { forget, notRun, runPart, seconds } from "./run/part.mjs"
import { results, suite } from "./run/suites.mjs"
import { isRed, printBoth, printSum, sumOf } from "./run/sum.mjs"

mkdirSync(results, { recursive: true })
const wanted = suite(process.argv[2])
const width = Math.max(...wanted.map(({ name }) => name.length))
const say = (name, text) => console.log(wanted.length === 1 ? text : `${name.padEnd(width)} | ${text}`)

const started = Date.now()
for (const part of wanted) forget(part)
const running = new Map()
for (const part of wanted) running.set(part.name, start(part))
const sum = sumOf(await onceMore(await Promise.all(running.values()), say))
// Last of all, so that the end of a CI log tells what was red.
printSum(sum, seconds(started))
printBoth(sum)
process.exit(isRed(sum) ? 1 : 0)

async function start(part) {
  const before = await Promise.all(part.after.map((name) => running.get(name)))
  return before.some(({ stops }) => stops) ? notRun(part, say) : runPart(part, say)
}
