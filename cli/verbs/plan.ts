import { findProject, loadProject, selectServices } from "../../config/index.js"
import { makePlan } from "../../core/plan.js"
import { environmentSecrets } from "../../core/secrets.js"
import { listRuns, openStore, readRun, type Store } from "../../core/store.js"
import { renderPlan } from "../../report/plan.js"
import { exitCodes } from "../exit.js"
import { pipelineOf } from "../pipelines.js"
import { chooseSource } from "../source.js"
import { printJson, dataOptions } from "../view.js"
import { changedOnly, selectionOf, type SourceOptions } from "./run.js"

/** `gantry plan <pipeline>`: steps, order, cache, effects, secrets, before anything runs. */
export async function plan(
  cwd: string,
  name: string,
  options: SourceOptions & { readonly json?: boolean },
): Promise<number> {
  const root = await findProject(cwd)
  const project = await loadProject(root)
  const source = await chooseSource(root, options)
  const wanted = selectServices(project.settings, options.service)
  const { settings, facts, services } = await changedOnly(root, wanted, source, options)
  if (services?.length === 0) {
    process.stderr.write("Nothing to run: the change affects no service.\n")
    return exitCodes.ok
  }
  const pipeline = await pipelineOf(project, name, settings)
  const store = openStore(root)
  const secrets = environmentSecrets(process.env)
  const present = new Set<string>()
  for (const secret of new Set(pipeline.steps.flatMap((s) => s.secrets))) {
    if ((await secrets.read(secret)) !== undefined) present.add(secret)
  }
  const result = await makePlan({
    pipeline,
    selection: selectionOf(options),
    services: settings.services.map((s) => s.name),
    facts,
    run: { id: "plan", pipeline: pipeline.name, dir: root, project: root, commit: source.commit, dirty: source.dirty },
    cacheRoot: store.root,
    known: source.dirty ? new Map() : await knownOutputs(store, pipeline.name, source.commit),
    hasSecret: (secret) => present.has(secret),
  })
  if (options.json === true) printJson(result)
  else process.stdout.write(renderPlan(result, dataOptions()) + "\n")
  return exitCodes.ok
}

/** Outputs of the newest run of this commit, step by step: enough to know most cache keys and effect keys. */
async function knownOutputs(store: Store, pipeline: string, commit: string): Promise<ReadonlyMap<string, unknown>> {
  const known = new Map<string, unknown>()
  for (const id of (await listRuns(store)).slice(0, 20)) {
    const record = await readRun(store, id).catch(() => undefined)
    if (record?.pipeline !== pipeline || record.commit !== commit || record.dirty) continue
    for (const s of record.steps) if (s.status === "success" && !known.has(s.id)) known.set(s.id, s.output)
  }
  return known
}
