import { XMLParser } from "fast-xml-parser"
import type { KnownFiles } from "./files.js"

interface Execution {
  readonly name: string
  /** Milliseconds. */
  readonly duration: number
  readonly outcome: "passed" | "skipped" | "failure" | "error"
  readonly message: string
}

/** Attributes of an element, and its children by name. */
type Element = Readonly<Record<string, unknown>>

/**
 * Turns JUnit files into SonarQube's own format, which it takes for every language; JUnit it takes for Java only.
 * Which file a test is of: vitest and Jest write it as class name or suite, Surefire writes the class.
 * https://docs.sonarsource.com/sonarqube-community-build/analyzing-source-code/test-coverage/generic-test-data/
 * @returns the XML, and how many tests are of files that are not known, which SonarQube would not take
 */
export function testExecutions(
  junit: readonly string[],
  known: KnownFiles,
): { readonly xml: string; readonly tests: number; readonly unknown: number } {
  const byFile = new Map<string, Execution[]>()
  let tests = 0
  let unknown = 0
  for (const text of junit) {
    for (const { file, ...execution } of executions(text, known)) {
      tests++
      if (file === undefined) unknown++
      else byFile.set(file, [...(byFile.get(file) ?? []), execution])
    }
  }
  const files = [...byFile]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, all]) => `  <file path="${escape(path)}">\n${all.map(testCase).join("\n")}\n  </file>`)
  return { xml: `<testExecutions version="1">\n${files.join("\n")}\n</testExecutions>\n`, tests, unknown }
}

function executions(text: string, known: KnownFiles): (Execution & { readonly file: string | undefined })[] {
  const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: "@", htmlEntities: true })
  const suites: Element[] = []
  const gather = (element: Element): void => {
    for (const suite of list(element["testsuite"])) {
      suites.push(suite)
      gather(suite)
    }
  }
  const root = parser.parse(text) as Element
  for (const top of list(root["testsuites"])) gather(top)
  gather(root)
  return suites.flatMap((suite) =>
    list(suite["testcase"]).map((test) => ({
      file: fileOf(candidates(test, suite), known),
      name: word(test["@name"]) || "(no name)",
      duration: Math.max(0, Math.round(Number(word(test["@time"]).replaceAll(",", "")) * 1000) || 0),
      ...outcomeOf(test),
    })),
  )
}

/** A class or a file that the test names itself is meant; a title ("adds two numbers", node:test's "test") is neither. */
function candidates(test: Element, suite: Element): readonly unknown[] {
  const own = word(test["@classname"])
  return own === "" || own === "test" || own.includes(" ")
    ? [test["@file"], suite["@file"], suite["@name"]]
    : [test["@file"], own]
}

function fileOf(named: readonly unknown[], known: KnownFiles): string | undefined {
  for (const candidate of named) {
    const text = word(candidate)
    if (text === "") continue
    const file = known.locate(text)
    if (file !== undefined) return file
    // com.shop.OrderTest, com.shop.OrderTest$Nested
    const path = text.replace(/[$(].*$/, "").replaceAll(".", "/")
    const source = ["java", "kt", "groovy", "scala"].map((ext) => known.endingIn(`${path}.${ext}`)).find(Boolean)
    if (source !== undefined) return source
  }
  return undefined
}

function outcomeOf(test: Element): Pick<Execution, "outcome" | "message"> {
  for (const outcome of ["failure", "error", "skipped"] as const) {
    if (!(outcome in test)) continue
    const message = word(list(test[outcome])[0]?.["@message"])
    return { outcome, message: message.split("\n")[0] ?? "" }
  }
  return { outcome: "passed", message: "" }
}

function testCase({ name, duration, outcome, message }: Execution): string {
  const open = `    <testCase name="${escape(name)}" duration="${duration}"`
  return outcome === "passed" ? `${open}/>` : `${open}><${outcome} message="${escape(message)}"/></testCase>`
}

const word = (value: unknown): string => (typeof value === "string" ? value : "")

function list(value: unknown): Element[] {
  const all: readonly unknown[] = value === undefined ? [] : Array.isArray(value) ? (value as unknown[]) : [value]
  return all.map((item) => (typeof item === "object" && item !== null ? (item as Element) : {}))
}

function escape(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("\n", "&#10;")
}
