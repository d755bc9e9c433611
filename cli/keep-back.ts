import { withholdFromSteps } from "../ci/secrets.js"
import type { AnyStep } from "../core/step.js"
import type { CiSettings } from "../steps/ci.js"

/** Takes out of the environment what steps are not to find there, and says what somebody might miss. */
export function keepBack(env: NodeJS.ProcessEnv, steps: readonly Pick<AnyStep, "secrets">[], ci: CiSettings): void {
  const names = withholdFromSteps(env, steps, ci)
  if (names.length === 0) return
  process.stderr.write(
    `Not for steps: ${names.join(", ")}. A step gets what it declares (\`secrets\`); all of them see what \`ci.gitlab.visible\` names.\n`,
  )
}
