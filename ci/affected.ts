import { matchesGlob } from "../core/condition.js"
import type { Project } from "../config/index.js"

type Settings = Project["settings"]
type Service = Settings["services"][number]

export interface Affected {
  readonly affected: readonly Service[]
  readonly skipped: readonly { readonly service: Service; readonly reason: string }[]
  /** Why services are affected that did not change themselves; undefined when there are none. */
  readonly all?: string | undefined
}

/** Changes of these files affect nobody. */
const ignored = ["**/*.md"]

/**
 * The services that a change affects: those of whose declared inputs a file changed. A change outside of every service
 * affects all of them.
 * @param changed paths relative to the project; undefined: not known, and so everything is affected
 */
export function affectedServices(settings: Settings, changed: readonly string[] | undefined): Affected {
  if (changed === undefined) return { affected: settings.services, skipped: [], all: "it is not known what changed" }
  const files = changed.filter((file) => !ignored.some((glob) => matchesGlob(glob, file)))
  const inputs = settings.services.map((service) => ({ service, globs: inputsOf(settings, service) }))
  const touches = (globs: readonly string[], file: string) => globs.some((glob) => matchesGlob(glob, file))
  const shared = files.find((file) => !inputs.some(({ globs }) => touches(globs, file)))
  if (shared !== undefined) return { affected: settings.services, skipped: [], all: `${shared} changed` }
  const affected = inputs.filter(({ globs }) => files.some((file) => touches(globs, file))).map((i) => i.service)
  return {
    affected,
    skipped: settings.services
      .filter((s) => !affected.includes(s))
      .map((service) => ({ service, reason: `nothing of ${service.name} changed` })),
  }
}

function inputsOf(settings: Settings, service: Service): readonly string[] {
  const config = service.config ?? `service-${service.name}`
  const own = service.path === "." ? "**" : `${service.path}/**`
  return [own, ...service.inputs, ...(settings.configRepo === undefined ? [] : [`${settings.configRepo}/${config}/**`])]
}
