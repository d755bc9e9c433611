import type { Judgement, Verdict } from "../../environments/analysis/verdict.js"

/** A judge that says what a case is about: figures have tests of their own. */
export const judged =
  (judgement: Judgement, reason = `judged ${judgement}`) =>
  (): Promise<Verdict> =>
    Promise.resolve({
      judgement,
      at: new Date().toISOString(),
      requests: { canary: 100, baseline: 100 },
      measures: [],
      reason,
    })
