import { XMLParser, XMLValidator } from "fast-xml-parser"

export interface TestCase {
  /** "suite › name" as far as the file says it. */
  readonly name: string
  readonly outcome: "passed" | "failed" | "skipped"
  /** Passed only when it was tried again (Surefire's flakyFailure). */
  readonly flaky: boolean
  readonly message?: string
  readonly details?: string
  readonly seconds: number
}

type Node = Readonly<Record<string, unknown>>

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "@",
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  cdataPropName: "#cdata",
  htmlEntities: true,
  isArray: (name) => /^(testsuite|testcase|failure|error|rerunFailure|rerunError|flakyFailure|flakyError)$/.test(name),
})

/**
 * Test cases of a JUnit XML file, in the dialects of Surefire and Failsafe, vitest, jest-junit, Playwright and node:test.
 * There is no schema that they share: counted are the cases, not what the suites say of themselves, except that a suite
 * that admits more failures than its cases show (a crash before the first one) counts as one failure more.
 * @throws Error when the text is not well-formed, e.g. of a process that was killed while it wrote
 */
export function parseJUnit(text: string): readonly TestCase[] {
  const valid = XMLValidator.validate(text)
  if (valid !== true) throw new Error(`line ${valid.err.line}: ${valid.err.msg}`)
  const root = parser.parse(text) as Node
  const top = node(root["testsuites"]) ?? root
  if (root["testsuites"] === undefined && root["testsuite"] === undefined) throw new Error("it has no <testsuite>")
  return [
    ...list(top["testcase"]).map((c) => testCase(c, "")),
    ...list(top["testsuite"]).flatMap((s) => suiteCases(s, "")),
  ]
}

function suiteCases(suite: Node, parent: string): TestCase[] {
  const name = [parent, attribute(suite, "name")].filter((part) => part !== "").join(" › ")
  const cases = list(suite["testcase"]).map((c) => testCase(c, name))
  const nested = list(suite["testsuite"]).flatMap((s) => suiteCases(s, name))
  const own = [...cases, ...nested]
  const admitted = Number(attribute(suite, "failures") || 0) + Number(attribute(suite, "errors") || 0)
  const failed = own.filter((c) => c.outcome === "failed").length
  if (admitted <= failed) return own
  const said = text(suite["system-err"]) || text(suite["system-out"])
  return [
    ...own,
    {
      name: name || "(suite)",
      outcome: "failed",
      flaky: false,
      message: `The suite reports ${admitted} failures, its cases show ${failed}`,
      ...(said === "" ? {} : { details: said }),
      seconds: 0,
    },
  ]
}

function testCase(c: Node, suite: string): TestCase {
  const className = attribute(c, "classname")
  // node:test writes the word "test" there, vitest the file, Surefire the class.
  const group = className !== "" && className !== "test" ? className : suite
  const own = attribute(c, "name")
  const name = [group, own].filter((part, i, all) => part !== "" && all.indexOf(part) === i).join(" › ") || "(no name)"
  const seconds = duration(attribute(c, "time"))
  const problem = [...list(c["failure"]), ...list(c["error"])][0]
  const flaky = list(c["flakyFailure"]).length + list(c["flakyError"]).length > 0
  if (problem !== undefined) {
    const details = text(problem).trim()
    const message =
      attribute(problem, "message") || details.split("\n")[0]?.trim() || attribute(problem, "type") || "failed"
    return { name, outcome: "failed", flaky: false, message, ...(details === "" ? {} : { details }), seconds }
  }
  return { name, outcome: c["skipped"] === undefined ? "passed" : "skipped", flaky, seconds }
}

/** Surefire writes thousands with a comma in some versions: "1,234.5". */
function duration(value: string): number {
  const seconds = Number(value.replaceAll(",", ""))
  return Number.isFinite(seconds) && seconds > 0 ? seconds : 0
}

function node(value: unknown): Node | undefined {
  return typeof value === "object" && value !== null ? (value as Node) : undefined
}

/** An empty element is an empty string here: `<failure/>` is a failure all the same. */
function list(value: unknown): Node[] {
  if (value === undefined) return []
  return (Array.isArray(value) ? value : [value]).map((v) => node(v) ?? { "#text": String(v) })
}

function attribute(n: Node, name: string): string {
  const value = n[`@${name}`]
  return typeof value === "string" ? value : ""
}

function text(value: unknown): string {
  if (typeof value === "string") return value
  if (Array.isArray(value)) return value.map(text).join("")
  const n = node(value)
  return n === undefined ? "" : text(n["#text"]) + text(n["#cdata"])
}
