import { affectedServices } from "../../ci/affected.js"
import { findProject, loadProject } from "../../config/index.js"
import { changeBetween } from "../changed.js"
import { exitCodes } from "../exit.js"
import { printJson } from "../view.js"

/** `gantry affected`: the services that a change has to deliver. Names on standard output, why on standard error. */
export async function affected(
  cwd: string,
  options: { readonly changedSince?: string; readonly json?: boolean },
): Promise<number> {
  const root = await findProject(cwd)
  const { settings } = await loadProject(root)
  const changed = await changedSince(root, options.changedSince)
  const result = affectedServices(settings, changed)
  if (result.all !== undefined) process.stderr.write(`all services: ${result.all}\n`)
  for (const { service, reason } of result.skipped) process.stderr.write(`${service.name} is skipped: ${reason}\n`)
  const names = result.affected.map((service) => service.name)
  if (options.json === true) printJson(names)
  else if (names.length > 0) process.stdout.write(names.join("\n") + "\n")
  return exitCodes.ok
}

/** Files that differ from a commit; undefined when there is none to compare with, or the clone does not have it. */
async function changedSince(root: string, base: string | undefined): Promise<readonly string[] | undefined> {
  if (base === undefined || base === "" || /^0+$/.test(base)) return undefined
  return (await changeBetween(root, base, "HEAD")).changed
}
