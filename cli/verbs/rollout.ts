import { appendAudit } from "../../approvals/index.js"
import { findProject, loadProject, selectServices } from "../../config/index.js"
import { fault } from "../../core/errors.js"
import { listRuns, openStore } from "../../core/store.js"
import {
  allow,
  memoryOf,
  readRefusals,
  readRollout,
  releaseName,
  writeDecision,
  type RolloutState,
} from "../../environments/index.js"
import { environmentNamed } from "../../steps/environment.js"
import type { Settings } from "../../steps/settings.js"
import { exitCodes } from "../exit.js"
import { personFor, reasonOf } from "../who.js"
import { resume } from "./run.js"

export interface RolloutOptions {
  readonly service?: readonly string[]
  readonly as?: string
  readonly reason: string
  readonly full?: boolean
  readonly resume?: boolean
}

/**
 * `gantry promote|abort <environment>`: a person's word about a rollout that pauses or goes on; promote also lets a release
 * that was taken back be deployed again. A process that is at work takes it up within a second; else `gantry resume` does.
 * @throws ENVIRONMENT-UNKNOWN, ROLLOUT-NOTHING, ROLLOUT-WHICH, PERSON-…
 */
export async function rolloutVerb(
  cwd: string,
  name: string,
  kind: "promote" | "abort",
  options: RolloutOptions,
): Promise<number> {
  const root = await findProject(cwd)
  const { settings: all } = await loadProject(root)
  const settings = selectServices(all, options.service)
  const environment = environmentNamed(settings, name)
  const reason = reasonOf(options.reason)
  const { service, state } = await whichRollout(settings, name)
  const { notes } = memoryOf(settings, name, service)
  const audit = (by: string, about: Record<string, string>) =>
    appendAudit(openStore(root).root, { kind, environment: name, service, by, reason, ...about })

  if (state === undefined) {
    const refusal = kind === "promote" ? (await readRefusals(notes))[0] : undefined
    if (refusal === undefined) throw nothing(name, service, kind)
    const by = await personFor(settings, environment, options.as, refusal.commit)
    await audit(by, { digest: refusal.digest })
    await allow(notes, refusal.key)
    process.stderr.write(
      `${by} lets ${service} ${refusal.digest.slice(0, 19)} be deployed to ${name} again, which was taken back at ${refusal.at}:\n` +
        `${refusal.why}\nNow run its pipeline again.\n`,
    )
    return exitCodes.ok
  }
  // Whoever goes on with a release judges it; anybody who may decide there may stop it.
  const by = await personFor(settings, environment, options.as, kind === "promote" ? state.to.commit : undefined)
  await audit(by, { digest: state.to.digest })
  const full = options.full === true
  await writeDecision(notes, {
    rollout: state.id,
    step: state.step,
    kind,
    full,
    by,
    reason,
    at: new Date().toISOString(),
  })
  process.stderr.write(`${by}: ${kind} ${service} in ${name}, ${releaseName(state.to)}: ${reason}\n`)
  return next(cwd, settings, name, service, state, { kind, resume: options.resume === true })
}

/** Who does it now. */
async function next(
  cwd: string,
  settings: Settings,
  environment: string,
  service: string,
  { id, run }: RolloutState,
  { kind, resume: now }: { readonly kind: "promote" | "abort"; readonly resume: boolean },
): Promise<number> {
  const { notes, locks } = memoryOf(settings, environment, service)
  const goesOn = async () => (await readRollout(notes))?.id === id
  if (!(await goesOn())) throw tooLate(environment, service, kind)
  if ((await locks.holder("deploy"))?.alive === true) {
    process.stderr.write("The process that does the rollout takes it up at once.\n")
    return exitCodes.ok
  }
  if (run === undefined) {
    process.stderr.write("Now run its pipeline again.\n")
    return exitCodes.ok
  }
  if (now || kind === "abort") {
    const store = openStore(settings.root)
    if (!(await listRuns(store)).includes(run)) {
      process.stderr.write(
        `It was begun by run ${run}, which is not kept here: run its job or its pipeline again where it ran.\n`,
      )
      return exitCodes.ok
    }
    const code = await resume(cwd, run, {})
    // Taken back as it was told to: for the run that is red, for whoever said so it is done.
    return kind === "abort" && code === exitCodes.failed && !(await goesOn()) ? exitCodes.ok : code
  }
  process.stderr.write(`Now: gantry resume ${run}\n`)
  return exitCodes.ok
}

/** The one service that the word is about. */
async function whichRollout(
  settings: Settings,
  environment: string,
): Promise<{ readonly service: string; readonly state: RolloutState | undefined }> {
  const states = await Promise.all(
    settings.services.map(async ({ name }) => ({
      service: name,
      state: await readRollout(memoryOf(settings, environment, name).notes),
    })),
  )
  const going = states.filter((s) => s.state !== undefined)
  const [only] = going.length > 0 ? going : states
  if (only !== undefined && (going.length === 1 || states.length === 1)) return only
  throw fault({
    code: "ROLLOUT-WHICH",
    kind: "usage",
    message:
      going.length > 1
        ? `Several rollouts go on in ${environment}`
        : `No rollout of any service goes on in ${environment}`,
    reason: (going.length > 0 ? going : states).map((s) => s.service).join(", "),
    hint: "Say which service: --service <name>",
  })
}

/** Between the look at the rollout and the word about it it ended: nobody reads the word any more. */
function tooLate(environment: string, service: string, kind: "promote" | "abort") {
  return fault({
    code: "ROLLOUT-OVER",
    kind: "usage",
    message: `Too late to ${kind}: the rollout of ${service} in ${environment} has just ended`,
    hint: `See how: gantry env show ${environment}. ${kind === "abort" ? `To take it back: gantry rollback ${environment} --service ${service}` : ""}`.trim(),
  })
}

function nothing(environment: string, service: string, kind: string) {
  return fault({
    code: "ROLLOUT-NOTHING",
    kind: "usage",
    message: `There is nothing to ${kind}: no rollout of ${service} goes on in ${environment}`,
    reason: kind === "promote" ? "No release of it was taken back there either." : undefined,
    hint: kind === "abort" ? `To take a finished one back: gantry rollback ${environment}` : undefined,
  })
}
