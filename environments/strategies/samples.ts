import type { RolloutReport } from "../../core/reports.js"
import type { Verdict } from "../analysis/verdict.js"

/** What a strategy tells at a moment of a rollout. `percent`: the new release's share of the traffic from now on. */
export interface Observed {
  /** ISO 8601. */
  readonly at: string
  readonly percent: number
  readonly verdict?: Verdict | undefined
  readonly text?: string | undefined
}

type Sample = RolloutReport["samples"][number]
export type RolloutStory = Pick<RolloutReport, "samples" | "marks" | "measures">

/** A chart has no use for more points, and a record should stay readable. */
const mostSamples = 400

/** Gathers what strategies tell, for the chart of the rollout. */
export function collectSamples(): { observe(observed: Observed): void; story(): RolloutStory } {
  const samples: Sample[] = []
  const marks: RolloutReport["marks"] = []
  let measures: RolloutReport["measures"]
  return {
    observe({ at, percent, verdict, text }) {
      const before = samples[samples.length - 1]?.percent
      samples.push(sampleOf(at, percent, verdict))
      if (text !== undefined) marks.push({ at, text })
      else if (before !== percent) marks.push({ at, text: `${percent} % of the traffic` })
      if (verdict !== undefined && verdict.measures.length > 0) {
        measures = verdict.measures.map((m) => ({
          metric: m.metric,
          text: m.text,
          judgement: m.judgement,
          dryRun: m.dryRun,
        }))
      }
      if (verdict?.judgement === "fail") marks.push({ at, text: verdict.reason })
    },
    story: () => ({
      samples: thinned(samples),
      marks: [...marks],
      ...(measures === undefined ? {} : { measures }),
    }),
  }
}

function sampleOf(at: string, percent: number, verdict: Verdict | undefined): Sample {
  if (verdict === undefined) return { at, percent }
  const figure = (metric: string) => verdict.measures.find((m) => m.metric === metric)
  const side = (of: "canary" | "baseline") => ({
    requests: verdict.requests[of],
    errors: figure("serverErrors")?.[of],
    latency: figure("responseTime")?.[of],
  })
  return { at, percent, canary: side("canary"), baseline: side("baseline"), judgement: verdict.judgement }
}

/** Every so many are left out of a long row of good measurements; whatever changes or is not good stays. */
function thinned(samples: readonly Sample[]): Sample[] {
  if (samples.length <= mostSamples) return [...samples]
  const every = Math.ceil(samples.length / mostSamples)
  return samples.filter(
    (sample, i) =>
      i % every === 0 ||
      i === samples.length - 1 ||
      sample.percent !== samples[i - 1]?.percent ||
      (sample.judgement !== undefined && sample.judgement !== "pass"),
  )
}
