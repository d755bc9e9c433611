import { fault } from "../core/errors.js"
import { nearest } from "../core/suggest.js"
import type { Environment } from "../environments/environment.js"
import type { Settings } from "./settings.js"

/** An environment by name: asked while the pipeline is made, so that a missing one shows before anything runs. @throws ENVIRONMENT-UNKNOWN */
export function environmentOf(settings: Settings, name: string): Environment {
  const found = Object.hasOwn(settings.environments, name) ? settings.environments[name] : undefined
  if (found !== undefined) return found
  const known = Object.keys(settings.environments)
  const near = nearest(name, known)
  throw fault({
    code: "ENVIRONMENT-UNKNOWN",
    kind: "usage",
    message: `The pipeline deploys to "${name}", which is not among the environments`,
    reason: `gantry.config.ts: environments: ${known.join(", ") || "none"}.`,
    hint:
      near === undefined
        ? `Add it: environments: { ${[...known.map((n) => `${n}: {…}`), `${name}: {}`].join(", ")} }; or leave \`environments\` out for test, uat and prod.`
        : `Rename "${near}" to "${name}", or add it.`,
  })
}
