import { describe, expect, it } from "vitest"
import { libraryYaml } from "../../../ci/gitlab/library-yaml.js"
import { gitlabYaml } from "../../../ci/gitlab/yaml.js"

const texts = [
  "", " ", "a", "a b", "a:b", "a: b", "a:", "a #b", "a#b", "#a", "true", "True", "false", "null", "NULL", "~", "yes", "on",
  "1", "1.5", "-1", "+1", "0x1f", "0o17", "1e3", ".5", ".inf", "-.inf", ".Inf", ".nan", ".NaN", ".gantry", ".a/b", "..", "...",
  "... a", "---", "--- a", "-", "- a", "-a", "?", "? a", "?a", ":", ":a", ": a", "::", "*", "*a", "a*", "&a", "a&b", "!a", "a!",
  "|", "| a", "a|b", ">", "> a", "%a", "@a", "`a", "'a'", '"a"', 'a "b"', "it's", "a,b", "[a]", "a[0]", "{a}", "${A}", "$A", "a\tb",
  "\ta", "a\t", "a ", " a", "a\nb", "a\n", "\na", "a\r\nb", "a\rb", "  a\n b\n", "a\\b", "\u0001", "\u007f", "\u00a0", "\u2028",
  "\ud800", "é", "黑科易购", "=", "<<", "a=b", "https://a:1/b?c=d&e", "services/s1/**/*", "/, coverage (\\d+(?:\\.\\d+)?) ?%/",
  '$CI_PIPELINE_SOURCE == "merge_request_event"', "$CI_PIPELINE_SOURCE =~ /^(schedule|web)$/", "echo a; echo b", "x".repeat(70),
  `${"a b ".repeat(50)}c`,
] // prettier-ignore

const same = (jobs: Readonly<Record<string, unknown>>) =>
  expect(gitlabYaml({ jobs: jobs as never })).toBe(libraryYaml(jobs))

describe("what is written is what the library writes", () => {
  it.each(texts)("of the text %j, wherever it stands", (text) => {
    same({ a: { script: [text, "b"], stage: text } })
    same({ a: { paths: [text, "b"], extends: [text], needs: [{ job: text, artifacts: true }], rules: [{ if: text }] } })
    same({ a: { variables: { [text]: text, other: "x" } }, [text]: { stage: "b" } })
    same({ a: { rules: [{ changes: { reference: [text, "b"] } }, { reference: ["c", text] }] } })
    same({ [text]: text })
  })

  it.each<readonly [string, Readonly<Record<string, unknown>>]>([
    ["nothing", {}],
    ["empty entries", { a: {}, b: [], c: { d: {}, e: [], f: undefined }, g: undefined, h: { i: undefined } }],
    [
      "values of other kinds",
      { a: { b: 0, c: -1, h: true, i: false }, d: 1.5, e: 1e21, f: [-0], g: Number.NaN, j: null, k: [undefined] },
    ],
    ["lists in lists", { a: [["b", ["c", []]], [{ d: 1 }, {}], [[{ e: [1, 2] }]]] }],
    ["lists on one line", { a: { paths: [["b"], { c: 1 }, {}, [], 1, true], files: [], exit_codes: [1, 2] } }],
    ["lists that are too long for one line", { a: { paths: ["b", "x".repeat(61)], exclude: ["x".repeat(60), "c"] } }],
    [
      "needs",
      { a: { needs: [{ job: "b", artifacts: false, optional: undefined }, { job: "c" }, { artifacts: true }] } },
    ],
    [
      "needs with more in them",
      { a: { needs: [{ job: "b", artifacts: true, parallel: { matrix: [{ c: ["d"] }] } }] } },
    ],
    ["references with more beside them", { a: { b: { reference: ["c"], d: 1 }, e: { reference: "f" } } }],
    ["one object in several places", { a: { b: ["c"] }, d: [{ b: ["c"] }] }],
    [
      "very long keys",
      { ["k".repeat(149)]: { ["é".repeat(149)]: 1 }, ["k".repeat(1100)]: 1, a: { ["k ".repeat(600)]: 2 } },
    ],
    ["keys that are numbers", { 2: { b: 1 }, 1: { a: 2 } }],
  ])("of %s", (_, jobs) => same(jobs))

  it("puts the head before the jobs, and leaves out what is not given", () => {
    const written = gitlabYaml({
      include: [{ local: "a.yml" }],
      workflow: undefined as never,
      jobs: { b: { stage: "c" } },
    })
    expect(written).toBe("include:\n  - local: a.yml\n\nb:\n  stage: c\n")
  })
})
