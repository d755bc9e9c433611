import { findProject, loadProject, selectServices } from "../../config/index.js"
import { engineContext } from "../../engine/context.js"
import { dockerTarget, placeOf, tidy } from "../../environments/index.js"
import { environmentOf } from "../../steps/environment.js"
import { exitCodes } from "../exit.js"

/** `gantry env tidy [environment]`: removes blue whose time is over; for a schedule. @throws ENVIRONMENT-UNKNOWN, DEPLOY-LOCKED */
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
  for (const environmentName of names) {
    const environment = environmentOf(settings, environmentName)
    for (const { name: service } of settings.services) {
      const tell = (line: string) => void process.stderr.write(`${service} in ${environmentName}: ${line}\n`)
      const engine = engineContext(settings.engine, { signal })
      const target = await dockerTarget({ engine, project: all, environment, service, tell })
      const place = placeOf(settings, environmentName)
      const keepLog = () => Promise.resolve()
      const done = await tidy({ target, place, environment, signal, tell, keepLog })
      if (done === "none") continue
      found = true
      tell(done === "removed" ? "blue is gone" : "blue stays: its time is not over, or a rollout goes on")
    }
  }
  if (!found) process.stderr.write(`Nothing is kept in ${names.join(", ")}\n`)
  return exitCodes.ok
}
