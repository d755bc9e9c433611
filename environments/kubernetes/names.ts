import type { Environment } from "../environment.js"

/** Name of an environment's namespace. */
export const namespaceOf = (project: string, environment: Pick<Environment, "name" | "kubernetes">) =>
  environment.kubernetes.namespace ?? `${project}-${environment.name}`

/** Under which name an environment's dependencies are remembered. */
export const dependenciesName = "dependencies"

/** What no service may be called: objects of the environment itself have these names. */
const environmentsOwn = new Map([
  ["prometheus", "the environment's own Prometheus"],
  [dependenciesName, "what the services of an environment depend on"],
])

/** Ends of names of a service's own objects: `web-blue` is one of `web`. */
const ends = ["blue", "green", "preview", "db", "schedule"]

/** Whose name a service would take in the namespace; undefined: nobody's. Pure. @param services names of all of them */
export function takenFrom(service: string, services: readonly string[]): string | undefined {
  const own = environmentsOwn.get(service)
  if (own !== undefined) return `${own} is called so in its namespace`
  const of = services.find((other) => ends.some((end) => service === `${other}-${end}`))
  return of === undefined ? undefined : `an object of the service ${of} is called so in its namespace`
}
