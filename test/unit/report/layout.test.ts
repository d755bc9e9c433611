import { describe, expect, test } from "vitest"
import { layoutGraph, longestPaths, nodeHeight, reduceEdges, type GraphNode } from "../../../report/html/layout.js"
import { bigRecord, sampleRecord } from "./sample.js"

const node = (id: string, ...needs: string[]): GraphNode => ({ id, needs, group: undefined, width: 100 })
const of = (record: ReturnType<typeof sampleRecord>): GraphNode[] =>
  record.steps.map((s) => ({ id: s.id, needs: s.needs, group: s.service, width: 120 }))

describe("columns", () => {
  test("one behind the furthest need", () => {
    const column = longestPaths([node("d", "b", "c"), node("b", "a"), node("c", "b"), node("a")])
    expect(Object.fromEntries(column)).toEqual({ a: 0, b: 1, c: 2, d: 3 })
  })
  test("needs that are not drawn do not count; a circle does not hang", () => {
    expect(longestPaths([node("a", "gone")]).get("a")).toBe(0)
    expect(longestPaths([node("a", "b"), node("b", "a"), node("c", "a")]).size).toBe(3)
  })
  test("a chain of 20,000 does not exhaust the stack", () => {
    const chain = Array.from({ length: 20_000 }, (_, i) => node(`n${i}`, ...(i === 0 ? [] : [`n${i - 1}`]))).reverse()
    expect(longestPaths(chain).get("n19999")).toBe(19_999)
  })
})

test("edges that a longer way implies are left out", () => {
  const nodes = [node("a"), node("b", "a"), node("c", "a", "b"), node("d", "a", "b", "c")]
  expect(reduceEdges(nodes, longestPaths(nodes)).map(({ from, to }) => `${from}>${to}`)).toEqual(["a>b", "b>c", "c>d"])
})

describe.each([
  ["the delivery of two services", of(sampleRecord("success"))],
  ["the delivery of one service", of(sampleRecord("success")).filter((n) => n.group !== "order")],
  ["1,000 steps", of(bigRecord(1000))],
  ["one step", [node("only")]],
  ["no steps", []],
])("%s", (_, nodes) => {
  const layout = layoutGraph(nodes)

  test("everything is placed, inside, and nothing lies on anything", () => {
    expect(layout.nodes.size).toBe(nodes.length)
    const placed = [...layout.nodes.values()].sort((a, b) => a.x - b.x || a.y - b.y)
    for (const [i, a] of placed.entries()) {
      expect(a.x).toBeGreaterThanOrEqual(0)
      expect(a.y).toBeGreaterThanOrEqual(0)
      expect(a.x + a.width).toBeLessThanOrEqual(layout.width)
      expect(a.y + nodeHeight).toBeLessThanOrEqual(layout.height)
      const b = placed[i + 1]
      if (b !== undefined && b.x === a.x) expect(b.y).toBeGreaterThanOrEqual(a.y + nodeHeight)
      if (b !== undefined && b.x !== a.x) expect(b.x).toBeGreaterThan(a.x + a.width)
    }
  })

  test("edges go from left to right and end at their nodes", () => {
    for (const { from, to, points } of layout.edges) {
      const [a, b] = [layout.nodes.get(from), layout.nodes.get(to)]
      expect(points[0]).toEqual([(a?.x ?? 0) + (a?.width ?? 0), (a?.y ?? 0) + nodeHeight / 2])
      expect(points.at(-1)).toEqual([b?.x ?? 0, (b?.y ?? 0) + nodeHeight / 2])
      for (const [i, point] of points.entries())
        if (i > 0) expect(point[0]).toBeGreaterThanOrEqual(points[i - 1]?.[0] ?? 0)
    }
  })

  test("a node lies in a panel of its own group and in no other", () => {
    for (const { id, group } of nodes) {
      const place = layout.nodes.get(id)
      if (place === undefined) throw new Error(id)
      const around = layout.panels.filter(
        (p) =>
          place.x >= p.x &&
          place.x + place.width <= p.x + p.width &&
          place.y >= p.y &&
          place.y + nodeHeight <= p.y + p.height,
      )
      expect(around.map((p) => p.group)).toEqual(group === undefined ? [] : [group])
    }
  })
})

test("long edges go around the nodes of the columns they pass", () => {
  const group = (n: GraphNode): GraphNode => ({ ...n, group: "g" })
  // x reaches d only through a way of its own: nothing implies it.
  const nodes = [node("a"), node("b", "a"), node("c", "b"), node("x"), node("d", "c", "x")].map(group)
  const layout = layoutGraph(nodes)
  const edge = layout.edges.find((e) => e.from === "x")
  expect(edge?.points.length).toBe(6)
  for (const passed of ["b", "c"]) {
    const place = layout.nodes.get(passed)
    const within = edge?.points.filter(([x]) => place !== undefined && x >= place.x && x <= place.x + place.width)
    for (const [, y] of within ?? [])
      expect(Math.abs(y - ((place?.y ?? 0) + nodeHeight / 2))).toBeGreaterThan(nodeHeight / 2)
  }
})
