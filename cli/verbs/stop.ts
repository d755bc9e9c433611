import { findProject, loadProject } from "../../config/index.js"
import { fault, type Fault } from "../../core/errors.js"
import { removeEnvironments, viewOf, withDevelopment } from "../../environments/index.js"
import { environmentNamed } from "../../steps/environment.js"
import { exitCodes } from "../exit.js"

/**
 * `gantry stop <environment>`: takes an environment down, which its next deployment brings back. Databases stay unless `data`.
 * @throws ENVIRONMENT-UNKNOWN, ENV-STOP-APPROVED, ENV-STOP-NO-DOCKER, K8S-UNREACHABLE
 */
export async function stop(cwd: string, name: string, options: { readonly data?: boolean }): Promise<number> {
  const settings = withDevelopment((await loadProject(await findProject(cwd))).settings)
  if (environmentNamed(settings, name).approvals !== undefined) {
    throw fault({
      code: "ENV-STOP-APPROVED",
      kind: "usage",
      message: `${name} is not stopped by a command`,
      reason: `environments.${name}.approvals: nothing happens there without a person's approval.`,
      hint: "Whoever runs the host or the cluster can remove what runs there by hand.",
    })
  }
  // Without an answer nobody knows what runs there.
  const trouble = await (await viewOf(settings, name)).trouble()
  if (trouble !== undefined) throw trouble.code === "ENV-NO-DOCKER" ? noDocker(name, trouble) : trouble
  await removeEnvironments(settings, { only: name, keepData: options.data !== true })
  process.stderr.write(
    `${name} is down${options.data === true ? ", its data are gone" : "; its data are kept (--data removes them)"}\n`,
  )
  return exitCodes.ok
}

function noDocker(environment: string, { message, hint }: Fault) {
  return fault({
    code: "ENV-STOP-NO-DOCKER",
    kind: "errored",
    message: `${environment} cannot be taken down: ${message.replace(/^.*?: /, "")}`,
    reason: "Without it nobody knows what runs there.",
    hint,
  })
}
