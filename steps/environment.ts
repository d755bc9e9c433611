import { fault } from "../core/errors.js"
import { nearest } from "../core/suggest.js"
import type { Environment } from "../environments/environment.js"
import type { Settings } from "./settings.js"

/** An environment by the name that a pipeline has for it: asked while the pipeline is made, so that a missing one shows before anything runs. @throws ENVIRONMENT-UNKNOWN */
export function environmentOf(settings: Settings, name: string): Environment {
  return find(settings, name, (known, near) => ({
    message: `The pipeline deploys to "${name}", which is not among the environments`,
    reason: `gantry.config.ts: environments: ${known.join(", ") || "none"}.`,
    hint:
      near === undefined
        ? `Add it: environments: { ${[...known.map((n) => `${n}: {…}`), `${name}: {}`].join(", ")} }; or leave \`environments\` out for test, uat and prod.`
        : `Rename "${near}" to "${name}", or add it.`,
  }))
}

/** An environment by the name that a person has typed. @throws ENVIRONMENT-UNKNOWN with the nearest name */
export function environmentNamed(settings: Pick<Settings, "environments">, name: string): Environment {
  return find(settings, name, (known, near) => ({
    message: `There is no environment "${name}"${near === undefined ? "" : `; did you mean "${near}"?`}`,
    hint: `Environments are: ${known.join(", ") || "none"}. See \`environments\` of gantry.config.ts.`,
  }))
}

interface Words {
  readonly message: string
  readonly reason?: string
  readonly hint: string
}

function find(
  { environments }: Pick<Settings, "environments">,
  name: string,
  words: (known: readonly string[], near: string | undefined) => Words,
): Environment {
  const found = Object.hasOwn(environments, name) ? environments[name] : undefined
  if (found !== undefined) return found
  const known = Object.keys(environments)
  throw fault({ code: "ENVIRONMENT-UNKNOWN", kind: "usage", ...words(known, nearest(name, known)) })
}
