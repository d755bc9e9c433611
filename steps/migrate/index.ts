import { clean, type Condition } from "../../core/condition.js"
import { fault } from "../../core/errors.js"
import { step, type AnyStep, type MaybeStep, type Step, type Values } from "../../core/step.js"
import { placeKey } from "../../environments/targets/where.js"
import { environmentOf } from "../environment.js"
import { approvedBy, verifyMigration } from "../gate/index.js"
import { Migration, type Approval, type Release, type Source } from "../outputs.js"
import { placeOf } from "../push/place.js"
import type { Service } from "../service.js"
import type { Settings } from "../settings.js"

type Kernel = typeof import("./run.js")
const kernel = (): Promise<Kernel> => import("./run.js")

export interface MigrateWiring {
  readonly source: Step<Source>
  readonly release: Step<Release>
  /** The gate: an environment that people have to approve of is not migrated without them either. */
  readonly approval?: MaybeStep<Approval>
  readonly after?: readonly AnyStep[]
}
type MigrateNeeds = { readonly source: Step<Source>; readonly release: Step<Release> }
type ApprovedNeeds = MigrateNeeds & { readonly approval: MaybeStep<Approval> }

/**
 * Brings a service's database in an environment to what the release needs, before any instance of it starts: with the
 * release's own image, once for each content. Undefined when the service declares no migrations.
 * @throws ENVIRONMENT-UNKNOWN and MIGRATE-WANTS-GATE while the pipeline is made; MIGRATION-…, ENV-…; GATE-UNPROVEN
 */
export function migrate(
  settings: Settings,
  service: Service,
  environmentName: string,
  { source, release, approval, after = [] }: MigrateWiring,
): MaybeStep<Migration> | undefined {
  if (service.migrations === undefined) return undefined
  const { approvals } = environmentOf(settings, environmentName)
  const first = Object.keys(settings.environments)[0] === environmentName
  const id = `${service.name}.migrate-${environmentName}`
  const shared = { ...common(settings, service, environmentName), after }
  if (approval !== undefined) {
    return step<ApprovedNeeds, Migration, string, Condition>(id, {
      ...shared,
      needs: { source, release, approval },
      stage: "rollout",
      when: clean(),
      run: async (context) => {
        const { needs, run } = context
        const undone = `The database of ${service.name} in ${environmentName} is not migrated`
        await approvedBy(context, settings, environmentName, needs.release, undone)
        await verifyMigration(run, environmentName, service, needs)
        const { checkRegistry } = await import("../deploy/registry.js")
        await checkRegistry(context, settings, service)
        return (await kernel()).runMigrate(context, settings, service, environmentName)
      },
    })
  }
  if (approvals !== undefined) throw wantsGate(service, environmentName)
  return step<MigrateNeeds, Migration, string, Condition | undefined>(id, {
    ...shared,
    needs: { source, release },
    stage: `deploy-${environmentName}`,
    when: first ? undefined : clean(),
    run: async (context) => (await kernel()).runMigrate(context, settings, service, environmentName),
  })
}

/** Time beside the migration itself: the database's start, the image, one migration before. Milliseconds. */
const overhead = 10 * 60_000

function common(settings: Settings, service: Service, environmentName: string) {
  const { passwordSecret } = placeOf(settings.engine, settings.project, service.name)
  const place = placeKey(settings.project, environmentOf(settings, environmentName))
  const { migrations, env, config } = service
  return {
    service: service.name,
    environment: environmentName,
    engine: false,
    secrets: passwordSecret === undefined ? [] : [passwordSecret],
    output: Migration,
    timeout: (migrations?.timeout ?? 0) * 1000 + overhead,
    params: { environment: environmentName, service: { env, config, migrations: { ...migrations } } },
    effect: {
      key: ({ needs }: { readonly needs: Values<MigrateNeeds> }) =>
        `migrate:${place}:${service.name}:${needs.release.digest}:${needs.source.tree}`,
      retry: { attempts: 2 },
      reconcile: async (context: Parameters<Kernel["lookForMigration"]>[0]) =>
        (await kernel()).lookForMigration(context, settings, service, environmentName),
    },
  }
}

function wantsGate(service: Service, environment: string) {
  return fault({
    code: "MIGRATE-WANTS-GATE",
    kind: "usage",
    message: `${environment} demands approvals, and the pipeline migrates ${service.name} there without asking anybody`,
    reason: `environments.${environment}.approvals of gantry.config.ts`,
    hint: `Hand migrate() the step of the gate: { source, release, approval }.`,
  })
}
