import { describe, expect, it } from "vitest"
import { nextMove, type Wanted } from "../../../environments/strategies/moves.js"
import type { Instance } from "../../../environments/target.js"
import { spec } from "./strategies/world.js"

const release = spec("1")

/** `o` old, `n` new; upper case: serves; `!`: has traffic and is not healthy; `x`: dead. E.g. "O O n N! nx" */
function instances(text: string): Instance[] {
  return text
    .split(" ")
    .filter((word) => word !== "")
    .map((word, i) => {
      const letter = word[0] ?? ""
      const traffic = letter === letter.toUpperCase()
      return {
        id: `${i + 1}`,
        name: `web-${i + 1}`,
        slot: i + 1,
        key: letter.toLowerCase() === "n" ? "new" : "old",
        release,
        state: word.includes("x") ? "dead" : "running",
        weight: traffic ? 100 : 0,
        healthy: traffic && !word.includes("!") && !word.includes("x"),
        restarts: 0,
      }
    })
}

const surge: Wanted = { key: "new", replicas: 2, maxSurge: 1, maxUnavailable: 0 }
const replace: Wanted = { key: "new", replicas: 2, maxSurge: 0, maxUnavailable: 1 }
const atOnce: Wanted = { key: "new", replicas: 3, maxSurge: 3, maxUnavailable: 0 }

function text(state: string, wanted: Wanted): string {
  const move = nextMove(instances(state), wanted)
  switch (move.kind) {
    case "start":
      return `start ${move.count}`
    case "retire":
      return `retire ${move.instance.slot}`
    case "admit":
    case "remove":
      return `${move.kind} ${move.instances.map((i) => i.slot).join()}`
    case "wait":
    case "done":
      return move.kind
    default:
      return move satisfies never
  }
}

describe("the next move of a rolling deployment", () => {
  it.each([
    ["nothing runs: all start together", "", surge, "start 2"],
    ["a new one beyond the replicas first", "O O", surge, "start 1"],
    ["it gets traffic when it is ready", "O O n", surge, "admit 3"],
    ["then an old one goes", "O O N", surge, "retire 1"],
    ["and the next new one comes", "O N", surge, "start 1"],
    ["until no old one is left", "N N O", surge, "retire 3"],
    ["done", "N N", surge, "done"],
    ["no room for more: an old one goes first", "O O", replace, "retire 1"],
    ["then a new one takes its place", "O", replace, "start 1"],
    ["and has to serve before the next old one goes", "O n", replace, "admit 2"],
    ["then the next goes", "O N", replace, "retire 1"],
    ["a large surge starts all at once", "O O O", atOnce, "start 3"],
    ["dead ones are removed before anything else", "O Ox nx", surge, "remove 2,3"],
    ["an old one without traffic is no loss", "O o N", surge, "retire 2"],
    ["an old one that does not answer is replaced, too", "O! O", surge, "start 1"],
    ["and is the first to go when its successor serves", "O O! N", surge, "retire 2"],
    ["a moment in which no old one answers takes none away", "O! O!", surge, "start 1"],
    ["nor does it with a surge of all", "O! O! O!", atOnce, "start 3"],
    ["with no room for more one of them makes some", "O! O!", replace, "retire 1"],
    ["no old one goes while a new one is unwell", "O O N!", surge, "wait"],
    ["an interrupted start is taken over", "O O n", surge, "admit 3"],
    ["not done while one is unwell", "N N!", surge, "wait"],
    ["fewer replicas: the highest slot goes", "N N N", surge, "retire 3"],
    ["more replicas: the missing ones start", "N", surge, "start 1"],
    ["more replicas of another release at once", "O", atOnce, "start 3"],
    ["too many old ones: capacity beyond the replicas goes first", "O O O O", surge, "retire 1"],
  ])("%s: %s", (_, state, wanted, expected) => {
    expect(text(state, wanted)).toBe(expected)
  })

  it.each([
    { replicas: 1, maxSurge: 1, maxUnavailable: 0 },
    { replicas: 3, maxSurge: 1, maxUnavailable: 0 },
    { replicas: 3, maxSurge: 0, maxUnavailable: 1 },
    { replicas: 4, maxSurge: 2, maxUnavailable: 1 },
    { replicas: 5, maxSurge: 5, maxUnavailable: 5 },
  ])("reaches the end from any mixture within its limits: %o", (limits) => {
    for (const start of ["", "O", "O O O", "O O O O O", "O n O N", "nx Ox", "o o o", "N N N N N N", "O! O! N!"]) {
      const wanted = { key: "new", ...limits }
      let state = instances(start)
      let next = 100
      const most = Math.max(state.length, limits.replicas + limits.maxSurge)
      for (let step = 0; ; step++) {
        expect(step, `${start} does not end`).toBeLessThan(60)
        const serving = () => state.filter((i) => i.weight > 0 && i.healthy).length
        const before = serving()
        const move = nextMove(state, wanted)
        if (move.kind === "done") break
        if (move.kind === "start") {
          for (let i = 0; i < move.count; i++) {
            next += 1
            const [fresh] = instances("n")
            state = [...state, { ...(fresh as Instance), id: `${next}`, slot: next }]
          }
        } else if (move.kind === "admit") {
          state = state.map((i) => (move.instances.includes(i) ? { ...i, weight: 100, healthy: true } : i))
        } else if (move.kind === "remove") state = state.filter((i) => !move.instances.includes(i))
        else if (move.kind === "retire") state = state.filter((i) => i !== move.instance)
        // Time heals: whoever waits sees it become healthy.
        else state = state.map((i) => ({ ...i, healthy: i.weight > 0 }))
        expect(state.length).toBeLessThanOrEqual(most)
        if (serving() < before) expect(serving()).toBeGreaterThanOrEqual(limits.replicas - limits.maxUnavailable)
      }
      expect(state.every((i) => i.key === "new") && state.length === limits.replicas).toBe(true)
    }
  })
})
