import type { Project } from "../config/index.js"
import { fault } from "../core/errors.js"
import type { Pipeline } from "../core/pipeline.js"
import { nearest } from "../core/suggest.js"
import { delivery } from "../pipelines/delivery.js"
import type { Settings } from "../steps/settings.js"

/** Pipelines that are there without being named in the configuration. */
const builtIn = { delivery }

/** Makes the named pipeline of a project. @throws PIPELINE-UNKNOWN with the nearest name */
export function pipelineOf(project: Project, name: string, settings: Settings): Pipeline {
  const all = { ...builtIn, ...project.pipelines }
  const source = Object.hasOwn(all, name) ? all[name as keyof typeof all] : undefined
  if (source !== undefined) return typeof source === "function" ? source(settings) : source
  const near = nearest(name, Object.keys(all))
  throw fault({
    code: "PIPELINE-UNKNOWN",
    kind: "usage",
    message: `There is no pipeline "${name}"${near === undefined ? "" : `; did you mean "${near}"?`}`,
    hint: `Pipelines are: ${Object.keys(all).join(", ")}. More are named in \`pipelines\` of gantry.config.ts.`,
  })
}
