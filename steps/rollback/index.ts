import { fault } from "../../core/errors.js"
import { step, type AnyStep, type Step } from "../../core/step.js"
import { memoryOf, readRollbackOrder, releaseName, rollBack } from "../../environments/index.js"
import { ensureRegistry } from "../deploy/registry.js"
import { retainReleases } from "../deploy/retain.js"
import { deployment, targetFor } from "../deploy/run.js"
import { environmentOf } from "../environment.js"
import { Deployment } from "../outputs.js"
import { placeOf } from "../push/place.js"
import type { Service } from "../service.js"
import type { Settings } from "../settings.js"

/**
 * Brings the release back that a person ordered (`gantry rollback`): by digest, with the configuration it ran with.
 * Repeating it is harmless: what runs is looked at first.
 * @throws ROLLBACK-NO-ORDER, ROLLBACK-UNWELL, DEPLOY-…, ENV-…
 */
export function rollback(
  settings: Settings,
  service: Service,
  environmentName: string,
  after: readonly AnyStep[] = [],
): Step<Deployment> {
  const environment = environmentOf(settings, environmentName)
  const { passwordSecret } = placeOf(settings.engine, settings.project, service.name)
  return step(`${service.name}.rollback-${environmentName}`, {
    service: service.name,
    environment: environmentName,
    stage: "rollback",
    engine: false,
    after,
    secrets: passwordSecret === undefined ? [] : [passwordSecret],
    output: Deployment,
    effect: {
      key: ({ run }) => `rollback:${environmentName}:${service.name}:${run.id}`,
      retry: { attempts: 2 },
      reconcile: "repeat",
    },
    run: async (context) => {
      const { log, signal, artifacts, run } = context
      const order = await readRollbackOrder(memoryOf(settings, environmentName, service.name).notes)
      if (order === undefined) throw noOrder(service, environmentName)
      log.info(`${order.by}: ${order.reason}`)
      log.info(`back to ${releaseName(order.to)}, commit ${order.to.commit.slice(0, 12)}`)
      await ensureRegistry(settings, service, signal)
      const target = await targetFor(context, settings, service, environment)
      const { release, previous, unchanged } = await rollBack({
        target,
        environment,
        to: order.to,
        by: order.by,
        reason: order.reason,
        run: run.id,
        signal,
        tell: (line) => log.info(line),
        keepLog: async (name, text) => void (await artifacts.put(name, { text })),
      })
      await retainReleases(context, settings, service, environmentName)
      return deployment(context, target, environment, release, previous, unchanged)
    },
  })
}

function noOrder(service: Service, environment: string) {
  return fault({
    code: "ROLLBACK-NO-ORDER",
    kind: "usage",
    message: `Nobody wants a rollback of ${service.name} in ${environment}`,
    reason: "None was ordered, or a release was deployed since: that has overtaken the order.",
    hint: `gantry rollback ${environment} --service ${service.name} --as <name> --reason <text>`,
  })
}
