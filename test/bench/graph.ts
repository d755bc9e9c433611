import { pipeline, type Pipeline } from "../../core/pipeline.js"
import { step, type AnyStep } from "../../core/step.js"

/** Numbers of the three earlier steps that the n-th one needs: near ones, so that the graph is both deep and wide. */
export function earlier(n: number): readonly number[] {
  return [...new Set([n - 1, n - 4, n - 9])]
    .map((i) => (i < 0 ? n - 1 : i))
    .filter((i, at, all) => i >= 0 && all.indexOf(i) === at)
}

export type Kind = "plain" | "cached" | "effect"

/** Steps that do nothing, each behind three earlier ones. */
export function noopGraph(count: number, kind: Kind): Pipeline {
  const steps: AnyStep[] = []
  for (let i = 0; i < count; i++) {
    const after = earlier(i).map((n) => steps[n] as AnyStep)
    steps.push(
      step(`step-${i}`, {
        engine: false,
        after,
        ...(kind === "plain" ? { cache: false } : {}),
        ...(kind === "effect" ? { effect: { key: () => "k", retry: { attempts: 1 }, reconcile: "repeat" } } : {}),
        run: () => Promise.resolve(),
      }),
    )
  }
  return pipeline("noop", { targets: steps.slice(-10) })
}
