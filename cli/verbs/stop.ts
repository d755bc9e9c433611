import { findProject, loadProject } from "../../config/index.js"
import { fault } from "../../core/errors.js"
import { dockerClient, dockerHost, dockerVersion } from "../../engine/docker/client.js"
import { removeEnvironments, withDevelopment } from "../../environments/index.js"
import { environmentOf } from "../../steps/environment.js"
import { exitCodes } from "../exit.js"

/**
 * `gantry stop <environment>`: takes an environment down, which its next deployment brings back. Databases stay unless `data`.
 * @throws ENVIRONMENT-UNKNOWN, ENV-STOP-APPROVED, ENV-STOP-NO-DOCKER
 */
export async function stop(cwd: string, name: string, options: { readonly data?: boolean }): Promise<number> {
  const settings = withDevelopment((await loadProject(await findProject(cwd))).settings)
  if (environmentOf(settings, name).approvals !== undefined) {
    throw fault({
      code: "ENV-STOP-APPROVED",
      kind: "usage",
      message: `${name} is not stopped by a command`,
      reason: `environments.${name}.approvals: nothing happens there without a person's approval.`,
      hint: "Whoever runs the host can remove its containers by hand.",
    })
  }
  if ((await dockerVersion(dockerClient(settings.engine))) === undefined)
    throw noDocker(name, dockerHost(settings.engine))
  await removeEnvironments(settings, { only: name, keepData: options.data !== true })
  process.stderr.write(
    `${name} is down${options.data === true ? ", its data are gone" : "; its data are kept (--data removes them)"}\n`,
  )
  return exitCodes.ok
}

function noDocker(environment: string, host: string) {
  return fault({
    code: "ENV-STOP-NO-DOCKER",
    kind: "errored",
    message: `${environment} cannot be taken down: no Docker Engine answers at ${host}`,
    reason: "Without it nobody knows what runs there.",
    hint: "Run this on the host of the environment, or name its Docker Engine (engine.docker.host, DOCKER_HOST).",
  })
}
