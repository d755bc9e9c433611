import { environment, type Environment, type TargetName } from "./environment.js"

/** Where `gantry dev` puts the work tree. Not part of the promotion. */
export const developmentName = "dev"

/** One instance, replaced at once, profile dev; nobody is asked. */
const development: Environment = environment(developmentName, {
  replicas: 1,
  strategy: { kind: "rolling", minReadySeconds: 0, drainSeconds: 1, graceSeconds: 5 },
})

interface WithEnvironments {
  readonly environments: Readonly<Record<string, Environment>>
  /** Of the development environment, where the configuration has none. Default: docker. */
  readonly target?: TargetName | undefined
}

const developmentOf = ({ target = "docker" }: WithEnvironments): Environment => ({ ...development, target })

/** The project with its development environment behind the others; one that is configured stays as it is. */
export function withDevelopment<P extends WithEnvironments>(project: P): P {
  const { environments } = project
  return developmentName in environments
    ? project
    : { ...project, environments: { ...environments, [developmentName]: developmentOf(project) } }
}

/** The project with nothing but its development environment. */
export function developmentOnly<P extends WithEnvironments>(project: P): P {
  const configured = project.environments[developmentName] ?? developmentOf(project)
  return { ...project, environments: { [developmentName]: configured } }
}
