import { fault } from "../../core/errors.js"
import { engineContext } from "../../engine/context.js"
import { memoryOf, readHistory, targetOf, type Project } from "../../environments/index.js"
import type { Service } from "../service.js"

/**
 * Where the services that a service calls are in an environment, as the host reaches them: name → base URL. Asked of the
 * environment itself: the called service may have been deployed by another run.
 * @throws ACCEPTANCE-NOT-DEPLOYED when one of them is not there
 */
export async function calledServices(
  project: Project,
  service: Pick<Service, "name" | "calls">,
  environmentName: string,
  signal?: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const environment = project.environments[environmentName]
  if (environment === undefined) return {}
  const engine = engineContext(project.engine, { signal })
  const found = await Promise.all(
    service.calls.map(async (name) => {
      const history = await readHistory(memoryOf(project, environmentName, name).notes)
      if (history.length === 0) throw notDeployed(name, service.name, environmentName)
      return [name, (await targetOf({ engine, project, environment, service: name })).url] as const
    }),
  )
  return Object.fromEntries(found)
}

function notDeployed(called: string, service: string, environment: string) {
  return fault({
    code: "ACCEPTANCE-NOT-DEPLOYED",
    kind: "failed",
    message: `${called}, which ${service} calls, is not deployed in ${environment.toUpperCase()}`,
    hint: `Deliver it first: \`gantry run delivery --service ${called} --service ${service}\`.`,
  })
}
