import { fault } from "../../core/errors.js"
import { describeEnvironments, type Project } from "../../environments/index.js"
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
): Promise<Readonly<Record<string, string>>> {
  const environment = project.environments[environmentName]
  if (service.calls.length === 0 || environment === undefined) return {}
  const described = await describeEnvironments({
    ...project,
    environments: { [environmentName]: environment },
    services: service.calls.map((name) => ({ name })),
  })
  return Object.fromEntries(
    described.map(({ service: name, url }) => {
      if (url !== undefined) return [name, url]
      throw fault({
        code: "ACCEPTANCE-NOT-DEPLOYED",
        kind: "failed",
        message: `${name}, which ${service.name} calls, is not deployed in ${environmentName.toUpperCase()}`,
        hint: `Deliver it first: \`gantry run delivery --service ${name} --service ${service.name}\`.`,
      })
    }),
  )
}
