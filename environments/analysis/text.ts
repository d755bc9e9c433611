import type { Rule } from "./rule.js"
import type { Verdict } from "./verdict.js"

/** A verdict for a log: what it is, why, and what was measured besides, which decides nothing. */
export function verdictText({ judgement, reason, measures }: Verdict): string {
  const shown = measures.filter((m) => m.dryRun).map((m) => `${m.metric}: ${m.text}`)
  return [`${judgement}; ${reason}`, ...shown].join("; ")
}

/** A figure as people write it: "4.2 %", "1.31 s", "12 per second". */
export function figureText(value: number, unit: Rule["unit"]): string {
  switch (unit) {
    case "ratio":
      return `${short(value * 100, 2)} %`
    case "seconds":
      return value < 1 ? `${short(value * 1000, 0)} ms` : `${short(value, 2)} s`
    case "per second":
      return `${short(value, 2)} per second`
    case "count":
      return short(value, 2)
    default:
      return unit satisfies never
  }
}

/** "at most 1 %, at least 99.9 %, at most 1.5 times the release before". */
export function limitText({ max, min, maxTimesBaseline, unit }: Rule): string {
  return [
    ...(max === undefined ? [] : [`at most ${figureText(max, unit)}`]),
    ...(min === undefined ? [] : [`at least ${figureText(min, unit)}`]),
    ...(maxTimesBaseline === undefined ? [] : [`at most ${maxTimesBaseline} times the release before`]),
  ].join(", ")
}

const short = (value: number, digits: number) => String(Number(value.toFixed(digits)))
