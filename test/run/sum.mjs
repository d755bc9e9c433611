import { writeFileSync } from "node:fs"
import { read } from "./part.mjs"

/** Of outcomes, and of what ran before where TEST_SUM names a file: what the last lines of a log tell. */
export function sumOf(outcomes) {
  const add = (of) => outcomes.reduce((sum, outcome) => sum + (of(outcome) ?? 0), 0)
  return {
    passed: add(({ passed }) => passed),
    failed: add(({ failed }) => failed),
    unsteady: add(({ unsteady }) => unsteady),
    red: outcomes.flatMap(({ why }) => why ?? []),
    texts: outcomes.flatMap(({ texts }) => texts),
    unsteadyTexts: outcomes.flatMap(({ unsteadyTexts }) => unsteadyTexts ?? []),
  }
}

export const isRed = ({ red, failed }) => red.length > 0 || failed > 0

/** @param took "12.3 s" */
export function printSum(sum, took) {
  list("Unsteady, green when it ran alone once more:", sum.unsteadyTexts)
  list("Red:", sum.texts)
  console.log(`\n${verdict(sum)}, ${took} in all`)
  console.log(counts(sum))
}

export function printBoth(sum) {
  const file = process.env.TEST_SUM
  if (file === undefined) return
  const earlier = read(file)
  const both = earlier === undefined ? sum : plus(earlier, sum)
  writeFileSync(file, JSON.stringify(both))
  if (earlier === undefined) return
  list("Before that, unsteady:", earlier.unsteadyTexts)
  list("Before that, red:", earlier.texts)
  console.log(`\nBoth: ${verdict(both)}`)
  console.log(counts(both))
}

const plus = (a, b) =>
  Object.fromEntries(
    Object.entries(b).map(([key, value]) => [key, Array.isArray(value) ? [...a[key], ...value] : a[key] + value]),
  )
function verdict({ red, unsteady }) {
  if (red.length > 0) return `Red: ${red.join(", ")}`
  return unsteady === 0 ? "All is well" : "Nothing is red, something is unsteady"
}
const counts = ({ passed, failed, unsteady }) =>
  `Tests: ${passed} passed, ${failed} failed${unsteady === 0 ? "" : `, ${unsteady} unsteady`}`

function list(title, texts) {
  if (texts.length > 0) console.log(`\n${title}\n${texts.join("\n")}`)
}
