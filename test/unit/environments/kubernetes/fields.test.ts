import { describe, expect, it } from "vitest"
import { differences, pathText, valueText } from "../../../../environments/kubernetes/fields.js"

const told = (a: unknown, b: unknown, only?: "expected") =>
  differences(a, b, only).map(
    ({ path, expected, found }) => `${pathText(path)}: ${valueText(path, expected)} → ${valueText(path, found)}`,
  )
const containers = (...all: object[]) => ({ spec: { template: { spec: { containers: all } } } })

describe("in which fields two objects differ", () => {
  it.each([
    ["nothing", { a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1 }, []],
    ["a value", { spec: { replicas: 3 } }, { spec: { replicas: 5 } }, ["spec.replicas: 3 → 5"]],
    ["one that is missing", { spec: { a: "x" } }, { spec: {} }, ["spec.a: x → none"]],
    ["one that is too many", { spec: {} }, { spec: { a: true } }, ["spec.a: none → true"]],
    [
      "an entry of a list, by its name, wherever it stands",
      containers({ name: "web", image: "a" }, { name: "side", image: "s" }),
      containers({ name: "side", image: "s" }, { name: "web", image: "b" }),
      ["spec.template.spec.containers[web].image: a → b"],
    ],
    [
      "entries without a name of their own, by their place",
      { rules: [{ host: "a" }, { host: "b" }] },
      { rules: [{ host: "a" }, { host: "c" }] },
      ["rules[1].host: b → c"],
    ],
    [
      "what the API server writes itself is none",
      { metadata: { uid: "1", resourceVersion: "1", generation: 1, managedFields: [1] }, status: { a: 1 } },
      { metadata: { uid: "2", resourceVersion: "2", generation: 2, managedFields: [2] }, status: { a: 2 } },
      [],
    ],
    [
      "names with dots are quoted",
      { metadata: { labels: { "gantry.dev/track": "blue" } } },
      { metadata: { labels: { "gantry.dev/track": "green" } } },
      ['metadata.labels["gantry.dev/track"]: blue → green'],
    ],
    [
      "a secret is not shown, neither as a variable's value nor by its look",
      containers({ name: "web", env: [{ name: "DB_PASSWORD", value: "one" }], args: ["a://u:p@h"] }),
      containers({ name: "web", env: [{ name: "DB_PASSWORD", value: "two" }], args: ["b"] }),
      [
        "spec.template.spec.containers[web].env[DB_PASSWORD].value: *** → ***",
        "spec.template.spec.containers[web].args[0]: *** → b",
      ],
    ],
    [
      "a switch is no secret, whatever it is called",
      { automountServiceAccountToken: false },
      { automountServiceAccountToken: true },
      ["automountServiceAccountToken: false → true"],
    ],
  ])("%s", (_, expected, found, lines) => {
    expect(told(expected, found)).toEqual(lines)
  })

  it("with only what is expected, whatever else is there is of no interest", () => {
    expect(told({ a: 1, l: [{ name: "x", v: 1 }] }, { a: 2, b: 1, l: [{ name: "y" }] }, "expected")).toEqual([
      "a: 1 → 2",
      'l[x]: {"name":"x","v":1} → none',
    ])
  })

  it("a long text is told by length and hash, the same one by the same", () => {
    const [a, b] = ["x\n".repeat(100), "y\n".repeat(100)]
    expect(valueText(["data", "application.yml"], a)).toMatch(/^a text of 200 characters \(sha256 [0-9a-f]{8}\)$/)
    expect(valueText(["data"], a)).not.toBe(valueText(["data"], b))
    expect(valueText(["a"], "")).toBe('""')
  })
})
