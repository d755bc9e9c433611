import { findProject, loadProject, selectServices } from "../../config/index.js"
import { developmentName } from "../../environments/index.js"
import type { Service } from "../../steps/service.js"
import { drive } from "../drive.js"
import { exitCodes } from "../exit.js"
import { pipelineOf } from "../pipelines.js"
import { chooseSource } from "../source.js"
import { concurrencyOf } from "./run.js"

/** `gantry dev <service>`: the work tree of a service and of those it calls in the environment dev. Prints its address. */
export async function dev(
  cwd: string,
  name: string,
  options: { readonly json?: boolean; readonly concurrency?: number },
): Promise<number> {
  const root = await findProject(cwd)
  const project = await loadProject(root)
  selectServices(project.settings, [name])
  const names = withCalled(project.settings.services, name)
  const settings = selectServices(project.settings, names)
  const { commit, facts } = await chooseSource(root, { dirty: true })
  let url: string | undefined
  const code = await drive({
    project,
    settings,
    pipeline: await pipelineOf(project, "dev", settings),
    selection: { services: names },
    commit,
    dirty: true,
    facts,
    json: options.json === true,
    concurrency: concurrencyOf(options.concurrency),
    printId: false,
    listener: (event) => {
      if (event.type !== "step-reported" || event.report.kind !== "deployment") return
      const { environment, service } = event.report
      if (environment === developmentName && service === name) url = event.report.url
    },
  })
  if (code === exitCodes.ok && url !== undefined && options.json !== true) process.stdout.write(`${url}\n`)
  return code
}

/** A service and everything it calls, however far. */
export function withCalled(services: readonly Service[], name: string): readonly string[] {
  const found = new Set<string>()
  const visit = (one: string) => {
    if (found.has(one)) return
    found.add(one)
    for (const called of services.find((s) => s.name === one)?.calls ?? []) visit(called)
  }
  visit(name)
  return [...found]
}
