import { join } from "node:path"
import type { Context, RunInfo } from "../../core/step.js"
import { engineContext } from "../../engine/context.js"
import {
  checkCluster,
  configProfile,
  deployRelease,
  ownObjects,
  targetOf,
  readHistory,
  podsOf,
  releaseKey,
  releaseSpec,
  runsAlone,
  withMetrics,
  type DeployOptions,
  type Environment,
  type OwnObjects,
  type ReleaseSpec,
  type Target,
} from "../../environments/index.js"
import type { Deployment, Release, Source } from "../outputs.js"
import type { Service } from "../service.js"
import type { Settings } from "../settings.js"
import { sourceDir } from "../source.js"
import { environmentOf } from "../environment.js"
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
  const environment = judgedBy(environmentOf(settings, environmentName), service)
  const own = await ownFor(context, settings, service, environment)
  const release = await releaseFor(context, settings, service, environment, own)
  log.info(
    `${service.name} ${release.digest.slice(0, 19)} (commit ${release.commit.slice(0, 12)}) to ${environmentName}`,
  )
  log.info(`configuration of profile ${environment.profile}: ${release.configHash.slice(0, 12)}`)
  await ensureRegistry(settings, service, signal)
  const target = await targetFor(context, settings, service, environment, own)
  const publish = context.publish.bind(context)
  const { unchanged, previous } = await withStory(publish, { environment, release, target }, (observe) =>
    deployRelease({
      run: run.id,
      approved,
      target,
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
  const environment = environmentOf(settings, environmentName)
  const own = await ownFor(context, settings, service, environment)
  const release = await releaseFor(context, settings, service, environment, own)
  const target = await targetFor(context, settings, service, environment, own)
  const [current, previous] = await readHistory(target.notes)
  // Only what was written down as done: the record comes last.
  if (current === undefined || releaseKey(current.release) !== releaseKey(release)) return undefined
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

/** Where the service runs. @throws RUN-OTHER-CLUSTER, K8S-KUBECONFIG */
export async function targetFor(
  context: Pick<TargetContext, "log" | "signal" | "secrets" | "run">,
  settings: Settings,
  service: Service,
  environment: Environment,
  own?: OwnObjects,
): Promise<Target> {
  const { log, signal, run } = context
  await checkCluster(environment, run.facts?.clusters?.[environment.name])
  return targetOf({
    engine: engineContext(settings.engine, { progress: logProgress(log), signal }),
    project: settings,
    environment,
    service: service.name,
    login: registryLogin(context, settings, service),
    own,
    tell: (line) => log.info(line),
  })
}

/** What the service brings itself to that environment, of exactly this commit. @throws OWN-…, CHART-RENDER, KUBERNETES-YAML */
async function ownFor(
  { needs, run, log, signal }: TargetContext,
  settings: Settings,
  service: Service,
  environment: Environment,
): Promise<OwnObjects | undefined> {
  const { project } = settings
  if (environment.kubernetes.services[service.name]?.own === undefined) return undefined
  const root = await sourceDir(run, needs.source)
  const engine = engineContext(settings.engine, { progress: logProgress(log), signal })
  const folder = join(root, service.path)
  const { reference } = needs.release
  return ownObjects({ engine, project, environment, service: service.name, reference, root, folder, signal })
}

/** The release as it will run there: the image, and the configuration of exactly this commit. @throws CONFIG-YAML */
export async function releaseFor(
  context: TargetContext,
  settings: Settings,
  service: Service,
  environment: Environment,
  own?: OwnObjects,
): Promise<ReleaseSpec> {
  const { needs, run } = context
  const { reference, digest, commit } = needs.release
  const folder = service.config ?? `service-${service.name}`
  const config =
    settings.configRepo === undefined || own !== undefined
      ? "{}\n"
      : await configProfile(join(await sourceDir(run, needs.source), settings.configRepo), folder, environment.profile)
  return releaseSpec({
    service: service.name,
    reference,
    digest,
    commit,
    config,
    // What brings its own objects is configured by them, and by nothing else.
    env: own === undefined ? service.env : {},
    port: service.build.port,
    readiness: service.health.readiness,
    metrics: service.metrics,
    startupSeconds: service.health.startupTimeout,
    calls: service.calls,
    database: service.database,
    resources: own === undefined ? environment.resources : {},
    pods: own === undefined ? podsOf(environment, service.name) : undefined,
    own: own?.hash,
  })
}

/** The environment as it is for this service: its strategy judges by the service's metrics, too. */
function judgedBy(environment: Environment, { analysis }: Service): Environment {
  return { ...environment, strategy: withMetrics(environment.strategy, analysis.metrics) }
}
