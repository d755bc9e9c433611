/**
 * Where the nodes of the graph stand: columns by the longest path from the beginning, one lane per group, shared nodes
 * (without a group) in the middle where their column is theirs alone. Edges that others imply are left out; long edges get
 * places of their own in the columns they pass, so that they run around nodes and not through them.
 */
export interface GraphNode {
  readonly id: string
  readonly needs: readonly string[]
  /** Its lane; undefined: shared. */
  readonly group: string | undefined
  /** Width that its text takes. */
  readonly width: number
}
export interface Placed {
  readonly id: string
  readonly x: number
  readonly y: number
  readonly width: number
}
export interface Panel {
  readonly group: string
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  /** The first panel of its lane bears its name. */
  readonly first: boolean
}
export interface Layout {
  readonly width: number
  readonly height: number
  readonly nodes: ReadonlyMap<string, Placed>
  /** Points that an edge passes, from right side to left side. */
  readonly edges: readonly {
    readonly from: string
    readonly to: string
    readonly points: readonly (readonly [number, number])[]
  }[]
  readonly panels: readonly Panel[]
}

export const nodeHeight = 44
const rowGap = 14
const edgeHeight = 12
const columnGap = 38
const lanePadding = 26
const laneGap = 14
const margin = 12
/** Above so many nodes no way is made for long edges: the picture is dense anyway, and it has to be quick. */
const routedNodes = 200
/** Above so many, all edges are drawn: knowing every ancestor of every node takes memory by the square. */
const reducedNodes = 3000

/** A node, or the place of an edge that passes a column. */
interface Slot {
  readonly key: string
  readonly node: GraphNode | undefined
  readonly column: number
  readonly lane: string
  readonly before: Slot[]
  readonly after: Slot[]
  y: number
}

const shared = ""

export function layoutGraph(nodes: readonly GraphNode[]): Layout {
  const column = longestPaths(nodes)
  const edges = reduceEdges(nodes, column)
  const columns = Math.max(0, ...column.values()) + 1
  const laneOf = lanes(nodes, column)
  const slots = new Map<string, Slot>()
  for (const node of nodes) {
    const lane = laneOf(node)
    slots.set(node.id, { key: node.id, node, column: column.get(node.id) ?? 0, lane, before: [], after: [], y: 0 })
  }
  const routes = edges.map(({ from, to }) => ({
    from,
    to,
    passes: route(from, to, slots, nodes.length <= routedNodes),
  }))
  const order = [...new Set([...slots.values()].map((slot) => slot.lane))].filter((lane) => lane !== middle)
  // A lane of shared nodes, where there is one, comes first.
  order.sort((a, b) => (a === shared ? -1 : 0) - (b === shared ? -1 : 0))

  let top = margin
  const bounds = new Map<string, { readonly top: number; readonly height: number }>()
  for (const lane of order) {
    const height =
      placeLane(
        [...slots.values()].filter((slot) => slot.lane === lane),
        columns,
      ) +
      2 * lanePadding
    bounds.set(lane, { top, height })
    for (const slot of slots.values()) if (slot.lane === lane) slot.y += top + height / 2
    top += height + laneGap
  }
  const middleHeight =
    placeLane(
      [...slots.values()].filter((slot) => slot.lane === middle),
      columns,
    ) +
    2 * margin
  const bottom = Math.max(order.length === 0 ? 0 : top - laneGap, middleHeight)
  for (const slot of slots.values()) if (slot.lane === middle) slot.y += (bottom + margin) / 2

  const { left, widths, total } = columnSpans(slots.values(), columns)
  const placed = new Map<string, Placed>()
  for (const { node, column: c, y } of slots.values()) {
    if (node === undefined) continue
    const width = widths[c] ?? 0
    placed.set(node.id, { id: node.id, x: left[c] ?? 0, y: y - nodeHeight / 2, width })
  }
  return {
    width: total,
    height: bottom + margin,
    nodes: placed,
    edges: routes.map(({ from, to, passes }) => {
      const [a, b] = [slots.get(from), slots.get(to)]
      const side = (slot: Slot | undefined, right: boolean): readonly [number, number] =>
        slot === undefined ? [0, 0] : [(left[slot.column] ?? 0) + (right ? (widths[slot.column] ?? 0) : 0), slot.y]
      return {
        from,
        to,
        points: [side(a, true), ...passes.flatMap((p) => [side(p, false), side(p, true)]), side(b, false)],
      }
    }),
    panels: order
      .filter((lane) => lane !== shared)
      .flatMap((lane) => panels(lane, [...slots.values()], bounds, left, widths)),
  }
}

/** Column of each node: one behind the furthest of its needs. Needs that are not in the graph do not count. */
export function longestPaths(nodes: readonly GraphNode[]): Map<string, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const column = new Map<string, number>()
  for (const root of nodes) {
    // Without recursion: a chain of 10,000 steps must not exhaust the stack.
    const stack = [root]
    const open = new Set<string>()
    while (stack.length > 0) {
      const node = stack[stack.length - 1] as GraphNode
      if (column.has(node.id)) {
        stack.pop()
        continue
      }
      const needs = node.needs.flatMap((id) => byId.get(id) ?? [])
      const missing = needs.filter((need) => !column.has(need.id) && !open.has(need.id))
      if (missing.length > 0 && !open.has(node.id)) {
        open.add(node.id)
        stack.push(...missing)
      } else {
        column.set(node.id, Math.max(-1, ...needs.map((need) => column.get(need.id) ?? -1)) + 1)
        stack.pop()
      }
    }
  }
  return column
}

/** Edges without those that a longer way between the same nodes implies. */
export function reduceEdges(nodes: readonly GraphNode[], column: ReadonlyMap<string, number>) {
  const ids = new Set(nodes.map((node) => node.id))
  if (nodes.length > reducedNodes) {
    return nodes.flatMap((node) => node.needs.filter((id) => ids.has(id)).map((from) => ({ from, to: node.id })))
  }
  const ancestors = new Map<string, Set<string>>()
  const sorted = [...nodes].sort((a, b) => (column.get(a.id) ?? 0) - (column.get(b.id) ?? 0))
  return sorted.flatMap((node) => {
    const needs = [...new Set(node.needs)].filter((id) => ids.has(id) && id !== node.id)
    const all = new Set<string>(needs)
    for (const need of needs) for (const id of ancestors.get(need) ?? []) all.add(id)
    ancestors.set(node.id, all)
    return needs
      .filter((id) => !needs.some((other) => other !== id && ancestors.get(other)?.has(id) === true))
      .map((from) => ({ from, to: node.id }))
  })
}

const middle = "\0middle"

/** Shared nodes whose column holds nothing else stand in the middle of everything; the others get a lane of their own. */
function lanes(nodes: readonly GraphNode[], column: ReadonlyMap<string, number>): (node: GraphNode) => string {
  const grouped = new Set(nodes.filter((node) => node.group !== undefined).map((node) => column.get(node.id)))
  return (node) => node.group ?? (grouped.has(column.get(node.id)) ? shared : middle)
}

function route(from: string, to: string, slots: Map<string, Slot>, routed: boolean): readonly Slot[] {
  const [a, b] = [slots.get(from), slots.get(to)]
  if (a === undefined || b === undefined) return []
  const lane = b.lane !== middle && b.lane !== shared ? b.lane : a.lane
  const passes: Slot[] = []
  if (routed && lane !== middle && lane !== shared) {
    for (let c = a.column + 1; c < b.column; c++) {
      const slot: Slot = { key: `${from}\0${to}\0${c}`, node: undefined, column: c, lane, before: [], after: [], y: 0 }
      slots.set(slot.key, slot)
      passes.push(slot)
    }
  }
  const chain = [a, ...passes, b]
  for (const [i, slot] of chain.entries()) {
    const next = chain[i + 1]
    if (next === undefined) continue
    slot.after.push(next)
    next.before.push(slot)
  }
  return passes
}

const heightOf = (slot: Slot) => (slot.node === undefined ? edgeHeight : nodeHeight)

/** Stacks the slots of each column around zero, in an order with few crossings. Answers the height of the tallest stack. */
function placeLane(slots: readonly Slot[], columns: number): number {
  const stacks: Slot[][] = Array.from({ length: columns }, () => [])
  for (const slot of slots) stacks[slot.column]?.push(slot)
  const place = (stack: readonly Slot[]) => {
    const total = stack.reduce((sum, slot) => sum + heightOf(slot), 0) + rowGap * Math.max(0, stack.length - 1)
    let y = -total / 2
    for (const slot of stack) {
      slot.y = y + heightOf(slot) / 2
      y += heightOf(slot) + rowGap
    }
    return total
  }
  const mean = (neighbours: readonly Slot[], own: number, lane: string) => {
    const near = neighbours.filter((slot) => slot.lane === lane)
    return near.length === 0 ? own : near.reduce((sum, slot) => sum + slot.y, 0) / near.length
  }
  const sortBy = (stack: Slot[], side: "before" | "after") => {
    const wish = new Map(stack.map((slot) => [slot, mean(slot[side], slot.y, slot.lane)]))
    stack.sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0))
    place(stack)
  }
  for (const stack of stacks) place(stack)
  for (let sweep = 0; sweep < 2; sweep++) {
    for (const stack of stacks) sortBy(stack, "before")
    for (const stack of [...stacks].reverse()) sortBy(stack, "after")
  }
  for (const stack of stacks) sortBy(stack, "before")
  return Math.max(0, ...stacks.map(place))
}

function columnSpans(slots: Iterable<Slot>, columns: number) {
  const widths = new Array<number>(columns).fill(0)
  for (const { node, column } of slots) widths[column] = Math.max(widths[column] ?? 0, node?.width ?? 0)
  const left: number[] = []
  let x = margin + lanePadding
  for (const width of widths) {
    left.push(x)
    x += width + columnGap
  }
  return { left, widths, total: x - columnGap + lanePadding + margin }
}

/** A panel behind each stretch of columns in which the lane has nodes or edges; shared columns interrupt it. */
function panels(
  lane: string,
  slots: readonly Slot[],
  bounds: ReadonlyMap<string, { readonly top: number; readonly height: number }>,
  left: readonly number[],
  widths: readonly number[],
): Panel[] {
  const used = [...new Set(slots.filter((s) => s.lane === lane && s.node !== undefined).map((s) => s.column))].sort(
    (a, b) => a - b,
  )
  const interrupted = (from: number, to: number) =>
    slots.some((s) => s.lane === middle && s.column > from && s.column < to)
  const stretches: { from: number; to: number }[] = []
  for (const c of used) {
    const last = stretches[stretches.length - 1]
    if (last !== undefined && !interrupted(last.to, c)) last.to = c
    else stretches.push({ from: c, to: c })
  }
  const { top = 0, height = 0 } = bounds.get(lane) ?? {}
  return stretches.map(({ from, to }, i) => {
    const x = (left[from] ?? 0) - columnGap / 2 + 4
    return {
      group: lane,
      x,
      y: top,
      width: (left[to] ?? 0) + (widths[to] ?? 0) + columnGap / 2 - 4 - x,
      height,
      first: i === 0,
    }
  })
}
