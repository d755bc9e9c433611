import { clean, type Condition } from "../../core/condition.js"
import { fault } from "../../core/errors.js"
import { step, type AnyStep, type MaybeStep, type Step, type Values } from "../../core/step.js"
import { strategyText } from "../../environments/strategies/text.js"
import { deployedBy, placeKey, placeText } from "../../environments/targets/where.js"
import { environmentOf } from "../environment.js"
import { approvedBy } from "../gate/index.js"
import { Deployment, type Approval, type Release, type Source } from "../outputs.js"
import { placeOf } from "../push/place.js"
import type { Service } from "../service.js"
import type { Settings } from "../settings.js"

const kernel = () => import("./run.js")

export interface DeployWiring {
  readonly source: Step<Source>
  readonly release: Step<Release>
  readonly after?: readonly AnyStep[]
}
type DeployNeeds = { readonly source: Step<Source>; readonly release: Step<Release> }

/**
 * Deploys a release to an environment by digest, with the service's configuration for it; waits until it serves, and puts
 * the release before back when it does not. A dirty work tree goes to the first environment only.
 * @throws ENVIRONMENT-UNKNOWN and DEPLOY-WANTS-GATE while the pipeline is made; DEPLOY-…, ENV-…, CONFIG-YAML
 */
export function deploy(
  settings: Settings,
  service: Service,
  environmentName: string,
  wiring: DeployWiring,
): MaybeStep<Deployment> {
  const { source, release, after = [] } = wiring
  if (environmentOf(settings, environmentName).approvals !== undefined) throw wantsGate(environmentName)
  const first = Object.keys(settings.environments)[0] === environmentName
  return step<DeployNeeds, Deployment, string, Condition | undefined>(`${service.name}.deploy-${environmentName}`, {
    ...common(settings, service, environmentName),
    needs: { source, release },
    after,
    stage: `deploy-${environmentName}`,
    when: first ? undefined : clean(),
    effect: {
      key: ({ needs }) => effectKey(settings, environmentName, service, needs),
      retry: { attempts: 2 },
      reconcile: async (context) => (await kernel()).findDeployment(context, settings, service, environmentName),
    },
    run: async (context) => (await kernel()).runDeploy(context, settings, service, environmentName),
  })
}

export interface RolloutWiring extends DeployWiring {
  readonly approval: MaybeStep<Approval>
}
type RolloutNeeds = DeployNeeds & { readonly approval: MaybeStep<Approval> }

/**
 * Deploys to an environment that people have to approve of. Verifies the approval itself and looks the digest up in the
 * registry, both immediately before it acts: neither a record nor a played job is proof.
 * @throws GATE-UNPROVEN, ROLLOUT-UNAPPROVED, ROLLOUT-DIGEST, and those of `deploy`
 */
export function rollout(
  settings: Settings,
  service: Service,
  environmentName: string,
  wiring: RolloutWiring,
): MaybeStep<Deployment> {
  const { source, release, approval, after = [] } = wiring
  return step<RolloutNeeds, Deployment, string, Condition>(`${service.name}.rollout-${environmentName}`, {
    ...common(settings, service, environmentName),
    needs: { source, release, approval },
    after,
    stage: "rollout",
    when: clean(),
    effect: {
      key: ({ needs }) => effectKey(settings, environmentName, service, needs),
      retry: { attempts: 2 },
      reconcile: async (context) => (await kernel()).findDeployment(context, settings, service, environmentName),
    },
    run: async (context) => {
      const undone = `${service.name} is not rolled out to ${environmentName}`
      const { by, at } = await approvedBy(context, settings, environmentName, context.needs.release, undone)
      const { checkRegistry } = await import("./registry.js")
      await checkRegistry(context, settings, service)
      const { checkWayBack } = await import("./way-back.js")
      await checkWayBack(context, settings, service, environmentName)
      return (await kernel()).runDeploy(context, settings, service, environmentName, { by, at })
    },
  })
}

function common(settings: Settings, service: Service, environmentName: string) {
  const environment = environmentOf(settings, environmentName)
  const { passwordSecret } = placeOf(settings.engine, settings.project, service.name)
  const { env, build, health, config, database, calls } = service
  const place = placeText(settings.project, environment)
  return {
    service: service.name,
    environment: environmentName,
    summary: [
      strategyText(environment.strategy, environment.replicas),
      ...(place === undefined ? [] : [`in ${place}`]),
    ].join("; "),
    engine: false,
    secrets: passwordSecret === undefined ? [] : [passwordSecret],
    output: Deployment,
    params: {
      environment: deployedBy(environment),
      service: { env, port: build.port, health: { ...health }, config, database, calls: [...calls] },
    },
  }
}

/** The tree stands for the configuration: its files are part of it, and a dirty work tree has one of its own. */
function effectKey(settings: Settings, environment: string, service: Service, needs: Values<DeployNeeds>): string {
  const { source, release } = needs
  return `deploy:${placeKey(settings.project, environmentOf(settings, environment))}:${service.name}:${release.digest}:${source.tree}`
}

function wantsGate(environment: string) {
  return fault({
    code: "DEPLOY-WANTS-GATE",
    kind: "usage",
    message: `${environment} demands approvals, and the pipeline deploys to it without asking anybody`,
    reason: `environments.${environment}.approvals of gantry.config.ts`,
    hint: `Let the pipeline pass a gate() and use rollout() for ${environment}, or leave \`approvals\` out there.`,
  })
}
