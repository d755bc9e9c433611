import type { Context } from "../../core/step.js"
import { engineContext } from "../../engine/context.js"
import { bringDependencies, checkCluster } from "../../environments/index.js"
import { environmentOf } from "../environment.js"
import { logProgress } from "../log-progress.js"
import type { Dependencies, Source } from "../outputs.js"
import { placeOf } from "../push/place.js"
import type { Settings } from "../settings.js"
import { sourceDir } from "../source.js"

export interface DependenciesContext extends Pick<
  Context<Record<never, never>, never>,
  "artifacts" | "log" | "run" | "signal"
> {
  readonly needs: { readonly source: Source }
  readonly secrets: Readonly<Record<string, { plaintext(): string }>>
}

/** Brings them, and tells what changed. @throws RUN-OTHER-CLUSTER, DEPENDENCY-…, K8S-…, OWN-…, CHART-RENDER, KUBERNETES-YAML */
export async function runDependencies(
  context: DependenciesContext,
  settings: Settings,
  environmentName: string,
): Promise<Dependencies> {
  const { needs, run, log, artifacts, signal } = context
  const environment = environmentOf(settings, environmentName)
  const { project } = settings
  await checkCluster(environment, run.facts?.clusters?.[environment.name])
  const brought = await bringDependencies({
    engine: engineContext(settings.engine, { progress: logProgress(log), signal }),
    project,
    environment,
    root: await sourceDir(run, needs.source),
    commit: needs.source.commit,
    login: (host) => loginOf(context, settings, host),
    signal,
    tell: (line) => log.info(line),
    keepLog: async (name, text) => void (await artifacts.put(name, { text })),
  })
  if (brought === undefined) {
    log.info(`${environmentName} is on the target ${environment.target}: its dependencies are of a cluster alone`)
  }
  return {
    environment: environmentName,
    dependencies: (brought ?? []).map(({ name, kind, hash, changed }) => ({ name, kind, hash, changed })),
  }
}

/** Charts come from the project's own Harbor with its credentials, from elsewhere without any. */
function loginOf({ secrets }: Pick<DependenciesContext, "secrets">, settings: Settings, host: string) {
  const place = placeOf(settings.engine, settings.project, "charts")
  const password = place.passwordSecret === undefined ? undefined : secrets[place.passwordSecret]?.plaintext()
  return place.host !== host || place.username === undefined || password === undefined
    ? undefined
    : { username: place.username, password }
}
