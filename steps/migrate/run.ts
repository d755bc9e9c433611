import { fault } from "../../core/errors.js"
import type { Context } from "../../core/step.js"
import { findMigration, migrate, type Migrated, type MigrateOptions } from "../../environments/index.js"
import { ensureRegistry } from "../deploy/registry.js"
import { releaseFor, targetFor, type TargetContext } from "../deploy/run.js"
import { environmentOf } from "../environment.js"
import type { Migration } from "../outputs.js"
import type { Service } from "../service.js"
import type { Settings } from "../settings.js"
import { migrationContent } from "./content.js"

export interface MigrateContext extends TargetContext, Pick<Context<Record<never, never>, never>, "artifacts"> {}

/** Migrates, unless the environment's database has it already. @throws MIGRATION-…, ENV-…, CONFIG-YAML */
export async function runMigrate(
  context: MigrateContext,
  settings: Settings,
  service: Service,
  environmentName: string,
): Promise<Migration> {
  const options = await optionsOf(context, settings, service, environmentName)
  await ensureRegistry(settings, service, context.signal)
  return outputOf(options, await migrate(options))
}

/** The migration of an earlier process, after its end was waited for; undefined when it has not taken place. */
export async function lookForMigration(
  context: MigrateContext,
  settings: Settings,
  service: Service,
  environmentName: string,
): Promise<Migration | undefined> {
  const options = await optionsOf(context, settings, service, environmentName)
  const found = await findMigration(options)
  return found === undefined ? undefined : outputOf(options, found)
}

async function optionsOf(
  context: MigrateContext,
  settings: Settings,
  service: Service,
  environmentName: string,
): Promise<MigrateOptions> {
  const { needs, run, log, artifacts, signal } = context
  const { migrations } = service
  if (migrations === undefined) throw noMigrations(service)
  const environment = environmentOf(settings, environmentName)
  return {
    target: await targetFor(context, settings, service, environment),
    environment,
    release: await releaseFor(context, settings, service, environment),
    migration: {
      run: migrations.run,
      content: await migrationContent(service, needs.source, needs.release, { cwd: run.project, signal }),
      timeoutSeconds: migrations.timeout,
      compatible: migrations.compatible,
    },
    signal,
    tell: (line) => log.info(line),
    output: (chunk) => log.write(chunk),
    keepLog: async (name, text) => void (await artifacts.put(name, { text })),
  }
}

function outputOf({ environment, release, migration }: MigrateOptions, { applied, at }: Migrated): Migration {
  const { run, content, compatible } = migration
  const { service, digest } = release
  return { environment: environment.name, service, digest, run, content, compatible, applied, at }
}

function noMigrations(service: Service) {
  return fault({
    code: "MIGRATION-NONE",
    kind: "usage",
    message: `Service ${service.name} declares no migrations`,
    hint: "`migrations` in its gantry.service.yaml.",
  })
}
