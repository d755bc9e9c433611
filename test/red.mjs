// A reporter of vitest: what was red, said so briefly that the end of a log alone tells it. The reports that vitest
// writes as JSON lack what a set-up or a time limit said.
import { writeFileSync } from "node:fs"
import { relative } from "node:path"
import { stripVTControlCharacters } from "node:util"

/** Of a message, at its beginning and at its end: enough to know what was wrong; the whole is further up in the log. */
const lines = 6
const width = 300

export default class {
  /** Writes one text for each red test, set-up and file, as a JSON list, to the file that TEST_RED names. */
  onTestRunEnd(modules, unhandled) {
    const red = modules.flatMap(redOf)
    for (const error of unhandled) red.push(entry("(outside any test)", [error]))
    writeFileSync(process.env.TEST_RED, JSON.stringify(red))
  }
}

function redOf(module) {
  const file = relative(process.cwd(), module.moduleId)
  const red = module.errors().length > 0 ? [entry(file, module.errors())] : []
  for (const part of module.children.allSuites()) {
    if (part.errors().length > 0) red.push(entry(`${file} > ${part.fullName}`, part.errors()))
  }
  for (const test of module.children.allTests()) {
    const { state, errors } = test.result()
    if (state === "failed") red.push(entry(`${file} > ${test.fullName}`, errors))
    // Where a set-up failed, none of its tests ran, and naming it is enough.
    else if (state !== "passed" && (red.length === 0 || test.options.mode !== "run"))
      red.push(`${file} > ${test.fullName}\n    did not run (${state})`)
  }
  return red
}

function entry(name, errors) {
  const said = errors.flatMap(({ message = "", diff = "" }) =>
    stripVTControlCharacters(`${message}\n${diff}`).split("\n"),
  )
  const full = said.filter((line) => line.trim() !== "")
  // What was expected stands at the end where a message begins with a log.
  const shown = full.length <= 2 * lines ? full : [...full.slice(0, lines), "…", ...full.slice(-lines)]
  return [name, ...shown.map((line) => `    ${line.slice(0, width)}`)].join("\n")
}
