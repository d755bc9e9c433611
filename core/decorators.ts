import type { Condition } from "./condition.js"
import { fault } from "./errors.js"
import type { Context, Needs, Retry, Step } from "./step.js"

/** Decorators change the policy around a step, never what it does. Each answers a new step with the same id. */

function withPolicy<Out, W extends Condition | undefined>(
  step: Step<Out, W>,
  policy: Partial<Pick<Step["definition"], "retry" | "timeout" | "allowFailure" | "ensure" | "effect">>,
): Step<Out, W> {
  return Object.freeze({ ...step, definition: Object.freeze({ ...step.definition, ...policy }) })
}

/** Tries an errored step again; a failed one (red tests) never. */
export function retry<Out, W extends Condition | undefined>(step: Step<Out, W>, policy: Retry): Step<Out, W> {
  const effect = step.definition.effect
  return withPolicy(step, effect === undefined ? { retry: policy } : { effect: { ...effect, retry: policy } })
}

/** Aborts an attempt after so many seconds: errored. */
export function timeout<Out, W extends Condition | undefined>(step: Step<Out, W>, seconds: number): Step<Out, W> {
  return withPolicy(step, { timeout: seconds * 1000 })
}

/** Cleans up after the step, whatever became of it, after cancellation too. An error in it makes a green step errored. */
export function ensure<Out, W extends Condition | undefined>(
  step: Step<Out, W>,
  cleanup: (context: Context<Needs, string>) => Promise<void>,
): Step<Out, W> {
  const inner = step.definition.ensure
  return withPolicy(step, {
    ensure: async (context) => {
      try {
        await inner?.(context)
      } finally {
        await cleanup(context)
      }
    },
  })
}

/**
 * A red step does not stop what comes behind it; who needs its output gets `undefined` then.
 * @throws STEP-GATE-ALLOW for a gate: a refusal that stops nothing is none
 */
export function allowFailure<Out, W extends Condition | undefined>(step: Step<Out, W>): Step<Out, W | Condition> {
  if (step.kind === "gate") {
    throw fault({
      code: "STEP-GATE-ALLOW",
      kind: "usage",
      message: `The gate "${step.id}" cannot be allowed to fail`,
      reason: "What stands behind it would run although it was refused.",
      hint: "Remove allowFailure from the gate.",
    })
  }
  return withPolicy(step, { allowFailure: true }) as Step<Out, W | Condition>
}
