import { fault } from "../core/errors.js"
import { nearest } from "../core/suggest.js"
import { targetNames, type Environment, type TargetName } from "../environments/environment.js"
import { developmentName } from "../environments/development.js"
import { onTargets } from "../environments/targets/where.js"

/** The variable that puts all environments on one target; `--target` of the command sets it. */
export const targetVariable = "GANTRY_TARGET"

export interface Targeted {
  readonly environments: Readonly<Record<string, Environment>>
  /** Of environments that the configuration does not name. */
  readonly target: TargetName | undefined
}

/**
 * The environments on the targets that are asked for in place of the configured ones: those on which a run began stand above
 * the variable, so that it goes on where it was.
 * @param began target of each environment, by its name
 * @throws TARGET-UNKNOWN
 */
export function targeted(
  environments: Readonly<Record<string, Environment>>,
  began: Readonly<Record<string, string>> | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Targeted {
  if (began !== undefined) {
    const targets = Object.fromEntries(Object.entries(began).map(([name, target]) => [name, checked(target)]))
    return { environments: onTargets(environments, targets), target: targets[developmentName] }
  }
  const wanted = env[targetVariable]
  if (wanted === undefined || wanted === "") return { environments, target: undefined }
  const target = checked(wanted)
  return { environments: onTargets(environments, target), target }
}

function checked(name: string): TargetName {
  const found = targetNames.find((target) => target === name)
  if (found !== undefined) return found
  const near = nearest(name, targetNames)
  throw fault({
    code: "TARGET-UNKNOWN",
    kind: "usage",
    message: `There is no target "${name}"${near === undefined ? "" : `; did you mean "${near}"?`}`,
    hint: `--target and ${targetVariable} take: ${targetNames.join(", ")}.`,
  })
}
