import { findProject, loadProject } from "../../config/index.js"
import { fault } from "../../core/errors.js"
import { ensureStack, hostCa } from "../../engine/index.js"
import { findChart, packageChart, pushChart, tagOf } from "../../environments/kubernetes/package.js"
import { repositoryClient } from "../../clients/registry/index.js"
import { placeOf } from "../../steps/push/place.js"
import type { Settings } from "../../steps/settings.js"
import { exitCodes } from "../exit.js"
import { onInterrupt } from "../interrupt.js"
import { openProgress, printJson } from "../view.js"

interface Options {
  readonly json?: boolean
}

/** `gantry chart show|push`: the chart of a service as an OCI artifact beside the project's images. */
export async function chartVerb(cwd: string, action: string, options: Options): Promise<number> {
  if (action !== "show" && action !== "push") {
    throw fault({
      code: "USAGE-CHART",
      kind: "usage",
      message: `gantry chart has no "${action}"`,
      hint: "gantry chart show | push",
    })
  }
  const { settings } = await loadProject(await findProject(cwd))
  const progress = openProgress()
  const interrupt = onInterrupt((text) => process.stderr.write(text + "\n"))
  try {
    const chart = await packageChart()
    const place = placeOf(settings.engine, settings.project, `charts/${chart.name}`)
    if (place.embedded) await ensureStack(settings.engine, ["registry"], { progress, signal: interrupt.signal })
    const client = clientOf(settings, place, interrupt.signal)
    const there =
      action === "push"
        ? await pushChart(client, chart, { replace: place.embedded })
        : { digest: undefined, ...(await findChart(client, chart)), pushed: false }
    const reference = `oci://${place.host}/${place.repository}:${tagOf(chart.version)}`
    const answer = {
      name: chart.name,
      version: chart.version,
      reference,
      digest: there.digest ?? null,
      pushed: there.pushed,
      content: chart.content,
      bytes: chart.archive.length,
    }
    if (options.json === true) printJson(answer)
    else process.stdout.write(`${reference}  ${there.digest ?? "not there yet"}\n`)
    return exitCodes.ok
  } finally {
    progress.stop()
    interrupt.release()
  }
}

function clientOf(settings: Settings, place: ReturnType<typeof placeOf>, signal: AbortSignal) {
  const password = place.passwordSecret === undefined ? undefined : process.env[place.passwordSecret]
  const credentials =
    place.username === undefined || password === undefined ? undefined : { username: place.username, password }
  const options = { url: place.url, credentials, signal, policy: { ca: hostCa(settings.engine) } }
  return repositoryClient(options, place.repository)
}
