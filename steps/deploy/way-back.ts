import { fault } from "../../core/errors.js"
import { hasImageItself, memoryOf, readHistory, releaseName } from "../../environments/index.js"
import type { Service } from "../service.js"
import type { Settings } from "../settings.js"
import { registryHas, type RegistryContext } from "./registry.js"

/**
 * Before an environment that people approve of is touched: the release that runs there now could be brought back. Its
 * configuration is in the history; its image has to be in the registry, or where it runs.
 * @throws ROLLOUT-NO-WAY-BACK unless the environment's `wayBack` is "warn"
 */
export async function checkWayBack(
  context: Pick<RegistryContext, "log" | "signal" | "secrets">,
  settings: Settings,
  service: Service,
  environmentName: string,
): Promise<void> {
  const { log, signal } = context
  const [current] = await readHistory(memoryOf(settings, environmentName, service.name).notes)
  if (current === undefined) {
    log.info(`${service.name} has never run in ${environmentName}: there is nothing to go back to`)
    return
  }
  const { release } = current
  const way = `${releaseName(release)} (commit ${release.commit.slice(0, 12)})`
  const here = await hasImageItself(settings, environmentName, release.reference, { signal })
  if (here || (await registryHas(context, settings, service, release))) {
    log.info(`the way back is open: ${way}`)
    return
  }
  const lost = fault({
    code: "ROLLOUT-NO-WAY-BACK",
    kind: "failed",
    message: `${service.name} in ${environmentName} could not be taken back: the image of what runs there is gone`,
    reason: `Neither the registry nor the place where it runs has ${release.reference}, ${way}.`,
    hint: `Push it again (deliver its commit to an earlier environment), or accept that: environments.${environmentName}.wayBack: "warn" in gantry.config.ts.`,
  })
  if (settings.environments[environmentName]?.wayBack !== "warn") throw lost
  log.warn(`there is no way back: ${lost.reason ?? ""}`)
}
