import { findProject, loadProject } from "../../config/index.js"
import { fault } from "../../core/errors.js"
import { stackDown, stackStatus } from "../../engine/index.js"
import { componentTable } from "../components.js"
import { exitCodes } from "../exit.js"
import { onInterrupt } from "../interrupt.js"
import { supply } from "../supply.js"
import { openProgress, printJson } from "../view.js"

/** `gantry stack up|down|status`: the long-lived containers on the local Docker Engine. */
export async function stack(cwd: string, action: string, options: { readonly json?: boolean }): Promise<number> {
  const { settings } = await loadProject(await findProject(cwd))
  const { engine } = settings
  const progress = openProgress()
  const interrupt = onInterrupt((text) => process.stderr.write(text + "\n"))
  try {
    switch (action) {
      case "up":
        await supply(settings, progress, interrupt.signal)
        break
      case "down":
        await stackDown(engine, { progress, signal: interrupt.signal })
        break
      case "status":
        break
      default:
        throw fault({
          code: "USAGE-STACK",
          kind: "usage",
          message: `gantry stack has no "${action}"`,
          hint: "gantry stack up | down | status",
        })
    }
  } finally {
    progress.stop()
    interrupt.release()
  }
  const status = await stackStatus(engine)
  if (options.json === true) printJson(status)
  else process.stdout.write(componentTable(status) + "\n")
  return action === "up" && status.some((c) => c.problem !== undefined) ? exitCodes.errored : exitCodes.ok
}
