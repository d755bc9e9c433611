/** The cluster to test on, by hand: `npm run lab:kubernetes -- up|prepare|down|status [name] [-v]`. */
import { isFault } from "../../../core/errors.js"
import { plainProgress } from "../../../engine/dev/progress.js"
import { ensureLab, labDown, labPrepare, labStatus } from "./index.js"

const [verb, name] = process.argv.slice(2).filter((argument) => argument !== "-v")
const options = {
  progress: plainProgress(process.argv.includes("-v")),
  ...(name === undefined ? {} : { name }),
}
try {
  if (verb === "up") await ensureLab(options)
  else if (verb === "prepare") await labPrepare(options)
  else if (verb === "down") await labDown(options)
  else if (verb !== "status") throw new Error("usage: npm run lab:kubernetes -- up|prepare|down|status [name] [-v]")
  // What is prepared need not run, and what runs may be of another state.
  if (verb !== "prepare") process.stdout.write(`${JSON.stringify(await labStatus(options), undefined, 2)}\n`)
} catch (error) {
  process.stderr.write(
    isFault(error)
      ? `${error.code}: ${error.message}\n${error.reason ?? ""}\n${error.hint ?? ""}\n`
      : `${error instanceof Error ? error.message : String(error)}\n`,
  )
  process.exitCode = 1
}
