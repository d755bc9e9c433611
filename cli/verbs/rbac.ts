import { findProject, loadProject } from "../../config/index.js"
import { fault } from "../../core/errors.js"
import { accountYaml } from "../../environments/kubernetes/rbac.js"
import type { KubernetesSettings } from "../../environments/kubernetes/settings.js"
import { engineContext } from "../../engine/context.js"
import { renderDependencies } from "../../environments/kubernetes/dependencies/order.js"
import { declaresDependencies, withDevelopment, type Environment } from "../../environments/index.js"
import { environmentNamed } from "../../steps/environment.js"
import type { Settings } from "../../steps/settings.js"
import { openProgress } from "../view.js"
import { exitCodes } from "../exit.js"

/** `gantry env rbac <environment>`: what the administrator of a cluster applies for it, as YAML. Asks no cluster. */
export async function envRbac(
  cwd: string,
  name: string,
  options: { readonly namespace?: string; readonly prometheus: string; readonly gateway?: string },
): Promise<number> {
  const settings = withDevelopment((await loadProject(await findProject(cwd))).settings)
  const environment = environmentNamed(settings, name)
  const { profile, kubernetes } = environment
  const { project } = settings
  const { prometheus } = options
  const namespace = options.namespace ?? kubernetes.namespace ?? `${project}-${name}`
  const gateway = gatewayOf(options.gateway) ?? configuredGateway(kubernetes.expose)
  const dependencies = await dependencyObjects(settings, environment)
  process.stdout.write(
    accountYaml({ project, environment: name, profile, namespace, prometheus, gateway, dependencies }),
  )
  return exitCodes.ok
}

/** What the environment's dependencies consist of, as the work tree has them; undefined: it declares none. */
async function dependencyObjects(settings: Settings, environment: Environment) {
  if (!declaresDependencies(environment)) return undefined
  const progress = openProgress()
  try {
    const engine = engineContext(settings.engine, { progress })
    return await renderDependencies({ engine, project: settings.project, environment, root: settings.root })
  } finally {
    progress.stop()
  }
}

/** The Gateway that the configuration names, where it is of a namespace that it names, too. */
function configuredGateway(expose: KubernetesSettings["expose"]) {
  if (expose.kind !== "gateway" || expose.namespace === undefined) return undefined
  return { namespace: expose.namespace, name: expose.gateway }
}

function gatewayOf(text: string | undefined) {
  if (text === undefined) return undefined
  const [namespace, name, ...rest] = text.split("/")
  if (namespace !== undefined && namespace !== "" && name !== undefined && name !== "" && rest.length === 0) {
    return { namespace, name }
  }
  throw fault({
    code: "USAGE-GATEWAY",
    kind: "usage",
    message: `--gateway takes <namespace>/<name>, not "${text}"`,
    hint: "kubectl get gateways --all-namespaces",
  })
}
