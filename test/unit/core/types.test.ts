import { readFileSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"
import { describe, expect, it } from "vitest"

const fixture = fileURLToPath(new URL("./fixtures/types.ts", import.meta.url))
const root = resolve(dirname(fixture), "../../../..")
const marker = /^\s*\/\/ @ts-expect-error (.*)$/

/** Compiles the fixture as the project does, with this text in its place; answers the lines with errors. */
function compile(text: string): ReadonlyMap<number, string> {
  const { config } = ts.readConfigFile(resolve(root, "tsconfig.json"), (path) => ts.sys.readFile(path)) as {
    config: object
  }
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [fixture] }, ts.sys, root)
  // The types of the Dagger SDK are half of the work and have no part in this.
  const dagger = resolve(dirname(fixture), "dagger.d.ts")
  options.paths = { "@dagger.io/dagger": [dagger] }
  const host = ts.createCompilerHost(options)
  const read = host.readFile.bind(host)
  host.readFile = (path) => (resolve(path) === fixture ? text : read(path))
  const source = host.getSourceFile.bind(host)
  host.getSourceFile = (path, version, ...rest) =>
    resolve(path) === fixture ? ts.createSourceFile(path, text, version, true) : source(path, version, ...rest)
  const program = ts.createProgram([fixture], options, host)
  const file = program.getSourceFile(fixture)
  const lines = new Map<number, string>()
  for (const diagnostic of program.getSemanticDiagnostics(file)) {
    const line = file?.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line ?? -1
    lines.set(line, ts.flattenDiagnosticMessageText(diagnostic.messageText, " "))
  }
  return lines
}

describe("the types of pipelines", { timeout: 120_000 }, () => {
  const text = readFileSync(fixture, "utf8")
  const lines = text.split("\n")
  const rules = lines.flatMap((line, i) => {
    const rule = marker.exec(line)?.[1]
    return rule === undefined ? [] : [{ rule, line: i + 1 }]
  })

  it("hold: every rule is broken where it says so, and nothing else is wrong", () => {
    expect(rules.length).toBeGreaterThan(15)
    // Without the comments there is an error exactly where a comment announced one. (That there is none with them is what
    // the project's own type check says.)
    const errors = compile(lines.map((line) => (marker.test(line) ? "//" : line)).join("\n"))
    expect([...errors.keys()].sort((a, b) => a - b)).toEqual(rules.map((r) => r.line))
  })
})
