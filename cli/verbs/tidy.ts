import { findProject, loadProject, selectServices } from "../../config/index.js"
import type { Fault } from "../../core/errors.js"
import { engineContext } from "../../engine/context.js"
import { targetOf, tidy, viewOf } from "../../environments/index.js"
import { environmentNamed } from "../../steps/environment.js"
import { exitCodes } from "../exit.js"

/** `gantry env tidy [environment]`: removes blue whose time is over; for a schedule. @throws ENVIRONMENT-UNKNOWN, DEPLOY-LOCKED, K8S-UNREACHABLE */
export async function envTidy(
  cwd: string,
  name: string | undefined,
  options: { readonly service?: readonly string[] },
): Promise<number> {
  const { settings: all } = await loadProject(await findProject(cwd))
  const settings = selectServices(all, options.service)
  const names = name === undefined ? Object.keys(settings.environments) : [name]
  const { signal } = new AbortController()
  let found = false
  let unseen: Fault | undefined
  for (const environmentName of names) {
    const environment = environmentNamed(settings, environmentName)
    const view = await viewOf(settings, environmentName)
    const trouble = view.remembersAlone ? undefined : await view.trouble()
    if (trouble !== undefined) {
      // The others are tidied all the same: this is run by a clock.
      process.stderr.write(`${environmentName}: ${trouble.message}\n`)
      unseen ??= trouble
      continue
    }
    for (const { name: service } of settings.services) {
      const tell = (line: string) => void process.stderr.write(`${service} in ${environmentName}: ${line}\n`)
      const engine = engineContext(settings.engine, { signal })
      const target = await targetOf({ engine, project: all, environment, service, tell })
      const keepLog = () => Promise.resolve()
      const done = await tidy({ target, environment, signal, tell, keepLog })
      if (done === "none") continue
      found = true
      tell(done === "removed" ? "blue is gone" : "blue stays: its time is not over, or a rollout goes on")
    }
  }
  if (unseen !== undefined) throw unseen
  if (!found) process.stderr.write(`Nothing is kept in ${names.join(", ")}\n`)
  return exitCodes.ok
}
