import { expect, it } from "vitest"
import { Strategy } from "../../../../environments/strategies/settings.js"
import { strategyText } from "../../../../environments/strategies/text.js"

it.each([
  [{ kind: "rolling" }, 1, "rolling, 1 instance"],
  [
    { kind: "canary", steps: [{ percent: 5 }, { percent: 50, seconds: 60, pause: true }] },
    3,
    "canary 5 % 300 s, 50 % 60 s and a person, then 100 %; 3 instances",
  ],
  [
    { kind: "blue-green", checks: [{ path: "/api" }], watchSeconds: 30, keepSeconds: 60 },
    2,
    "blue-green: 2 instances beside blue, asked /api; all at once, watched for 30 s; blue is kept 60 s",
  ],
  [
    { kind: "blue-green" },
    2,
    "blue-green: 2 instances beside blue, asked whether they are ready; all at once; blue is kept 600 s",
  ],
])("%j is told as a line of a plan", (strategy, replicas, text) => {
  expect(strategyText(Strategy.parse(strategy), replicas)).toBe(text)
})
