import { matchesGlob } from "../core/condition.js"
import type { Service } from "../steps/service.js"
import type { Settings } from "../steps/settings.js"

export interface Affected {
  /** In the order of the settings. */
  readonly affected: readonly Service[]
  readonly skipped: readonly { readonly service: Service; readonly reason: string }[]
  /** Why services are affected that did not change themselves, for the log; undefined when there are none. */
  readonly all?: string | undefined
}

/**
 * The services that a change has to deliver: those of whose inputs a file changed. A file that belongs to none (shared code,
 * the pipeline, a lock file) affects all of them, unless `ci.ignore` says that none depends on it.
 * @param changed Names of changed files relative to the project, with forward slashes (`git diff --name-only --relative`);
 *   undefined: not known, and so everything is affected
 */
export function affectedServices(
  settings: Pick<Settings, "services" | "configRepo" | "ci">,
  changed: readonly string[] | undefined,
): Affected {
  const { services, ci } = settings
  if (changed === undefined) return { affected: services, skipped: [], all: "it is not known what changed" }
  const inputs = new Map(services.map((service) => [service, inputsOf(settings, service)]))
  const belongs = (file: string, service: Service) =>
    inputs.get(service)?.some((glob) => matchesGlob(glob, file)) === true
  const shared = changed.find(
    (file) => !services.some((s) => belongs(file, s)) && !ci.ignore.some((glob) => matchesGlob(glob, file)),
  )
  if (shared !== undefined) {
    return { affected: services, skipped: [], all: `${shared} changed, which belongs to no service alone` }
  }
  const affected = services.filter((s) => changed.some((file) => belongs(file, s)))
  const skipped = services
    .filter((s) => !affected.includes(s))
    .map((service) => ({ service, reason: `nothing of ${service.name} changed (${inputs.get(service)?.join(", ")})` }))
  return { affected, skipped }
}

/** What a service depends on, as globs from the project's root: its folder, its declared inputs, its configuration. */
export function inputsOf(settings: Pick<Settings, "configRepo">, service: Service): readonly string[] {
  const { configRepo } = settings
  const config =
    configRepo === undefined ? [] : [inFolder(`${configRepo}/${service.config ?? `service-${service.name}`}`)]
  return [inFolder(service.path), ...service.inputs, ...config]
}

/** Glob of everything in a folder; "." is the project itself. */
function inFolder(folder: string): string {
  const path = folder.replace(/^(\.\/)+/, "").replace(/\/+$/, "")
  return path === "." || path === "" ? "**" : `${path}/**`
}
