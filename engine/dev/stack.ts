/** The stack by hand: `npx jiti engine/dev/stack.ts up|down|status [component…] [-v]`. The command line has the real verbs. */
import { isFault } from "../../core/errors.js"
import { engineConfig } from "../config.js"
import { stackDown, stackStatus, stackUp } from "../stack/manage.js"
import { plainProgress } from "./progress.js"

const [verb, ...ids] = process.argv.slice(2).filter((argument) => argument !== "-v")
const progress = plainProgress(process.argv.includes("-v"))
const config = engineConfig.parse({})
try {
  if (verb === "up") await stackUp(config, ids.length === 0 ? undefined : ids, { progress })
  else if (verb === "down") await stackDown(config, { progress })
  process.stdout.write(`${JSON.stringify(await stackStatus(config), undefined, 2)}\n`)
} catch (error) {
  process.stderr.write(
    isFault(error)
      ? `${error.code}: ${error.message}\n${error.reason ?? ""}\n${error.hint ?? ""}\n`
      : `${(error as Error).stack}\n`,
  )
  process.exitCode = 1
}
