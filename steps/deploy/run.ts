import { join } from "node:path"
import { fault } from "../../core/errors.js"
import type { Context, RunInfo } from "../../core/step.js"
import { nearest } from "../../core/suggest.js"
import { engineContext } from "../../engine/context.js"
import {
  configProfile,
  deployRelease,
  dockerTarget,
  placeOf as environmentPlace,
  readHistory,
  releaseKey,
  releaseSpec,
  runsAlone,
  withMetrics,
  type DeployOptions,
  type Environment,
  type ReleaseSpec,
  type Target,
} from "../../environments/index.js"
import type { Deployment, Release, Source } from "../outputs.js"
import type { Service } from "../service.js"
import type { Settings } from "../settings.js"
import { sourceDir } from "../source.js"
import { logProgress } from "../log-progress.js"
import { withStory } from "./story.js"
import { ensureRegistry, registryLogin, type RegistryContext } from "./registry.js"
import { retainReleases } from "./retain.js"

export interface DeployContext
  extends TargetContext, Pick<Context<Record<never, never>, never>, "artifacts" | "publish"> {}

/** What it takes to find the release as it will run, and the place where. */
export interface TargetContext extends RegistryContext {
  readonly run: RunInfo
  readonly needs: { readonly source: Source; readonly release: Release }
}

/** Deploys, and tells people what runs where. @throws DEPLOY-…, ENV-…, CONFIG-YAML */
export async function runDeploy(
  context: DeployContext,
  settings: Settings,
  service: Service,
  environmentName: string,
  approved?: DeployOptions["approved"],
): Promise<Deployment> {
  const { log, artifacts, signal, run } = context
  const environment = judgedBy(environmentNamed(settings, environmentName), service)
  const release = await releaseFor(context, settings, service, environment)
  log.info(
    `${service.name} ${release.digest.slice(0, 19)} (commit ${release.commit.slice(0, 12)}) to ${environmentName}`,
  )
  log.info(`configuration of profile ${environment.profile}: ${release.configHash.slice(0, 12)}`)
  await ensureRegistry(settings, service, signal)
  const target = await targetFor(context, settings, service, environment)
  const place = environmentPlace(settings, environmentName)
  const publish = context.publish.bind(context)
  const { unchanged, previous } = await withStory(publish, { environment, release, place }, (observe) =>
    deployRelease({
      run: run.id,
      approved,
      target,
      place,
      environment,
      release,
      signal,
      tell: (line) => log.info(line),
      keepLog: async (name, text) => void (await artifacts.put(name, { text })),
      observe,
    }),
  )
  await retainReleases(context, settings, service, environmentName)
  return deployment(context, target, environment, release, previous, unchanged)
}

/** The deployment of an earlier process, if it took place whole. Touches no instance. */
export async function findDeployment(
  context: DeployContext,
  settings: Settings,
  service: Service,
  environmentName: string,
): Promise<Deployment | undefined> {
  const environment = environmentNamed(settings, environmentName)
  const release = await releaseFor(context, settings, service, environment)
  const place = environmentPlace(settings, environmentName)
  const [current, previous] = await readHistory(place, service.name)
  // Only what was written down as done: the record comes last.
  if (current === undefined || releaseKey(current.release) !== releaseKey(release)) return undefined
  const target = await targetFor(context, settings, service, environment)
  if (!(await runsAlone(target, releaseKey(release), environment.replicas))) return undefined
  await retainReleases(context, settings, service, environmentName)
  return deployment(context, target, environment, release, previous?.release, false)
}

/** Tells people what runs there now, and hands it on. */
export function deployment(
  context: Pick<DeployContext, "publish" | "log">,
  target: Target,
  environment: Environment,
  release: ReleaseSpec,
  previous: ReleaseSpec | undefined,
  unchanged: boolean,
): Deployment {
  const { service, digest, commit, configHash } = release
  const { url } = target
  const common = { environment: environment.name, service, digest, url, replicas: environment.replicas, configHash }
  context.publish({
    kind: "deployment",
    ...common,
    unchanged,
    ...(previous === undefined ? {} : { previous: previous.digest }),
  })
  context.publish({ kind: "link", title: `${service} in ${environment.name.toUpperCase()}`, url })
  context.log.info(`${service} in ${environment.name}: ${url}`)
  return { ...common, commit, unchanged, ...(previous === undefined ? {} : { previous: previous.reference }) }
}

export function targetFor(
  context: Pick<TargetContext, "log" | "signal" | "secrets">,
  settings: Settings,
  service: Service,
  environment: Environment,
) {
  const { log, signal } = context
  return dockerTarget({
    engine: engineContext(settings.engine, { progress: logProgress(log), signal }),
    project: settings,
    environment,
    service: service.name,
    login: registryLogin(context, settings, service),
    tell: (line) => log.info(line),
  })
}

/** The release as it will run there: the image, and the configuration of exactly this commit. @throws CONFIG-YAML */
export async function releaseFor(
  context: TargetContext,
  settings: Settings,
  service: Service,
  environment: Environment,
): Promise<ReleaseSpec> {
  const { needs, run } = context
  const { reference, digest, commit } = needs.release
  const folder = service.config ?? `service-${service.name}`
  const config =
    settings.configRepo === undefined
      ? "{}\n"
      : await configProfile(join(await sourceDir(run, needs.source), settings.configRepo), folder, environment.profile)
  return releaseSpec({
    service: service.name,
    reference,
    digest,
    commit,
    config,
    env: service.env,
    port: service.build.port,
    readiness: service.health.readiness,
    metrics: service.metrics,
    startupSeconds: service.health.startupTimeout,
    calls: service.calls,
    database: service.database,
    resources: environment.resources,
  })
}

/** The environment as it is for this service: its strategy judges by the service's metrics, too. */
function judgedBy(environment: Environment, { analysis }: Service): Environment {
  return { ...environment, strategy: withMetrics(environment.strategy, analysis.metrics) }
}

export function environmentNamed(settings: Settings, name: string): Environment {
  const found = settings.environments[name]
  if (found !== undefined) return found
  const known = Object.keys(settings.environments)
  const near = nearest(name, known)
  throw fault({
    code: "ENV-UNKNOWN",
    kind: "usage",
    message: `There is no environment "${name}"${near === undefined ? "" : `; did you mean "${near}"?`}`,
    hint: `Environments are: ${known.join(", ")}. See \`environments\` of gantry.config.ts.`,
  })
}
