import { findProject, loadProject } from "../../config/index.js"
import { fault } from "../../core/errors.js"
import { removeEnvironments } from "../../environments/index.js"
import { environmentOf } from "../../steps/environment.js"
import { exitCodes } from "../exit.js"

/**
 * `gantry stop <environment>`: takes an environment down, which its next deployment brings back. Databases stay unless `data`.
 * @throws ENVIRONMENT-UNKNOWN, ENV-STOP-APPROVED
 */
export async function stop(cwd: string, name: string, options: { readonly data?: boolean }): Promise<number> {
  const { settings } = await loadProject(await findProject(cwd))
  if (environmentOf(settings, name).approvals !== undefined) {
    throw fault({
      code: "ENV-STOP-APPROVED",
      kind: "usage",
      message: `${name} is not stopped by a command`,
      reason: `environments.${name}.approvals: nothing happens there without a person's approval.`,
      hint: "Whoever runs the host can remove its containers by hand.",
    })
  }
  await removeEnvironments(settings, { only: name, keepData: options.data !== true })
  process.stderr.write(
    `${name} is down${options.data === true ? ", its data are gone" : "; its data are kept (--data removes them)"}\n`,
  )
  return exitCodes.ok
}
