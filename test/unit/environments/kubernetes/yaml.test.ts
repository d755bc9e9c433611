import { describe, expect, it } from "vitest"
import { parseObjects } from "../../../../environments/kubernetes/yaml.js"

const object = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n"

describe("objects from YAML", () => {
  it("takes a stream, leaves empty documents out and takes Lists apart", () => {
    const list = "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Secret\n    metadata: { name: b }\n"
    const objects = parseObjects(`---\n# only a comment\n---\n${object}---\n---\n${list}`, "f.yaml")
    expect(objects.map((o) => `${o.kind}/${o.metadata.name}`)).toEqual(["ConfigMap/a", "Secret/b"])
    expect(parseObjects("", "f.yaml")).toEqual([])
  })

  it("reads words and numbers as Kubernetes does, not as YAML 1.2 has them", () => {
    const text = `${object}data: { a: yes, b: "yes", c: off, d: 0440, e: y, f: 1.0, g: 2026-11-26, h: 0x10, i: "0440" }\n`
    expect(parseObjects(text, "f.yaml")[0]?.["data"]).toEqual({
      a: true,
      b: "yes",
      c: false,
      d: 288,
      e: "y",
      f: 1,
      g: "2026-11-26",
      h: 16,
      i: "0440",
    })
  })

  it("follows anchors and merges", () => {
    const text = `${object}x: &x { a: 1 }\ny: { <<: *x, b: 2 }\n`
    expect(parseObjects(text, "f.yaml")[0]?.["y"]).toEqual({ a: 1, b: 2 })
  })

  it.each([
    ["a: [", /at line 1/],
    [`${object}kind: Other\n`, /unique/],
    ["- 1\n", /no object/],
    ["apiVersion: v1\nkind: ConfigMap\n", /metadata/],
    ["apiVersion: v1\nkind: ConfigMap\nmetadata: { generateName: a- }\n", /name/],
  ])("refuses %j", (text, reason) => {
    expect(() => parseObjects(text, "f.yaml")).toThrow(
      expect.objectContaining({ code: "KUBERNETES-YAML", reason: expect.stringMatching(reason) as string }),
    )
  })
})
