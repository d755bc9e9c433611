import { XMLBuilder, XMLParser, XMLValidator } from "fast-xml-parser"
import { renderJunit } from "../junit.js"
import { attributes, xmlText } from "../xml.js"
import { keptAs, type CiInput, type KeptText } from "./input.js"

const options = { ignoreAttributes: false, attributeNamePrefix: "", preserveOrder: true } as const

/** A node as fast-xml-parser gives it with `preserveOrder`: one member with the children, and the attributes in ":@". */
type Node = { readonly [name: string]: unknown }

/**
 * One JUnit file of a job: the cases of the tests that its steps ran, and one case for each step that left no such file.
 * Read by GitLab (https://docs.gitlab.com/ci/testing/unit_test_reports): one `testsuites` at the top, suites may be nested.
 */
export function jobJunit(input: CiInput): string {
  const files = keptAs(input, "junit")
  const tested = new Set(files.map((file) => file.step.id))
  const rest = input.steps.filter((step) => !tested.has(step.id))
  const own = rest.length === 0 ? "" : suitesOf(renderJunit({ ...input.record, steps: [...rest] }))
  const suites = files.flatMap((file) => suite(file, input.mask) ?? [])
  const name = `${input.record.pipeline}.${input.job}`
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${attributes({ name })}>\n${own}${suites.join("")}</testsuites>\n`
}

/** What is inside of the only `testsuites` of a file that this program wrote. */
function suitesOf(xml: string): string {
  return xml.slice(xml.indexOf(">\n", xml.indexOf("<testsuites")) + 2, xml.lastIndexOf("</testsuites>"))
}

/** A tool's file as one suite that is named after the step. Undefined for a broken one: its step is red because of it. */
function suite({ step, text }: KeptText, mask: (text: string) => string): string | undefined {
  if (XMLValidator.validate(text) !== true) return undefined
  let nodes: readonly Node[]
  try {
    nodes = new XMLParser({ ...options, htmlEntities: true, trimValues: false, parseTagValue: false }).parse(
      text,
    ) as readonly Node[]
  } catch {
    return undefined
  }
  const top = nodes.find((node) => "testsuites" in node)
  const inner = top === undefined ? nodes.filter((node) => "testsuite" in node) : (top["testsuites"] as readonly Node[])
  const written = new XMLBuilder(options).build(inner.map((node) => rewritten(node, mask))) as string
  return `  <testsuite${attributes({ name: step.id })}>${written}</testsuite>\n`
}

/** Texts and attributes masked, and without what XML cannot hold; names of elements stay. */
function rewritten(node: Node, mask: (text: string) => string): Node {
  return Object.fromEntries(
    Object.entries(node).map(([name, value]): [string, unknown] => {
      if (name === "#text") return [name, xmlText(mask(String(value)))]
      if (name !== ":@") return [name, (value as readonly Node[]).map((child) => rewritten(child, mask))]
      const all = Object.entries(value as Readonly<Record<string, unknown>>)
      return [name, Object.fromEntries(all.map(([key, v]) => [key, xmlText(mask(String(v)))]))]
    }),
  )
}
