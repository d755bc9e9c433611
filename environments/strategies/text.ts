import type { Strategy } from "./settings.js"

/** How a release gets to its environment, in a line for people, e.g. "canary 5 % 300 s, 25 % 300 s, then 100 %; 3 instances". */
export function strategyText(strategy: Strategy, replicas: number): string {
  const instances = `${replicas} ${replicas === 1 ? "instance" : "instances"}`
  switch (strategy.kind) {
    case "rolling":
      return `rolling, ${instances}`
    case "blue-green": {
      const { checks, watchSeconds, keepSeconds } = strategy
      const watched = watchSeconds > 0 ? `, watched for ${watchSeconds} s` : ""
      const asked = checks.map((check) => check.path).join(", ")
      return `blue-green: ${instances} beside blue, asked ${asked === "" ? "whether they are ready" : asked}; all at once${watched}; blue is kept ${keepSeconds} s`
    }
    case "canary": {
      const steps = strategy.steps.map((s) => `${s.percent} % ${s.seconds} s${s.pause ? " and a person" : ""}`)
      return `canary ${steps.join(", ")}, then 100 %; ${instances}`
    }
    default:
      return strategy satisfies never
  }
}
