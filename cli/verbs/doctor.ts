import { findProject, loadProject } from "../../config/index.js"
import { doctor, engineConfig } from "../../engine/index.js"
import { findingTable } from "../components.js"
import { exitCodes } from "../exit.js"
import { printJson } from "../view.js"

/** `gantry doctor`: every component, where it came from, its version, what to do. Works outside a project, too. */
export async function doctorVerb(cwd: string, options: { readonly json?: boolean }): Promise<number> {
  const root = await findProject(cwd).catch(() => undefined)
  const engine = root === undefined ? engineConfig.parse({}) : (await loadProject(root)).settings.engine
  const findings = await doctor(engine)
  if (options.json === true) printJson(findings)
  else process.stdout.write(findingTable(findings) + "\n")
  return findings.some((f) => f.state === "unusable") ? exitCodes.errored : exitCodes.ok
}
