import { clean } from "../../core/condition.js"
import { step, type AnyStep, type MaybeStep, type Step } from "../../core/step.js"
import { environmentOf } from "../environment.js"
import {
  Approval,
  type BuiltImage,
  type Deployment,
  type Migration,
  type Release,
  type Scan,
  type Source,
} from "../outputs.js"
import type { Settings } from "../settings.js"
import { askGate } from "./ask.js"
import { gateId } from "./evidence.js"

export { approvedBy } from "./approved.js"
export { verifyMigration } from "./migration.js"
export { verifyApproval, type Approvable } from "./verify.js"

export interface GateWiring {
  readonly source: Step<Source>
  readonly images: readonly Step<BuiltImage>[]
  readonly scans: readonly Step<Scan>[]
  readonly releases: readonly Step<Release>[]
  readonly deployments: readonly MaybeStep<Deployment>[]
  /** Of the environments before: what they applied is what will be applied. */
  readonly migrations?: readonly MaybeStep<Migration>[]
  readonly tests: readonly MaybeStep<{ suite: string; total: number; failed: number }>[]
  readonly quality: readonly MaybeStep<{ status: string; analysisId: string; service: string }>[]
  readonly after?: readonly AnyStep[]
}

/**
 * The manual gate: people who are not authors of the commit decide on the evidence of this run. It occupies nothing while it
 * waits; `gantry approve` or `gantry reject` leave a decision, `gantry resume` asks the gate again.
 * @throws ENVIRONMENT-UNKNOWN while the pipeline is made
 */
export function gate(settings: Settings, environmentName: string, wiring: GateWiring) {
  const { after, migrations = [], ...others } = wiring
  const needs = { ...others, migrations }
  environmentOf(settings, environmentName)
  return step(gateId, {
    needs,
    ...(after === undefined ? {} : { after }),
    when: clean(),
    gate: true,
    engine: false,
    stage: "approve",
    environment: environmentName,
    output: Approval,
    params: { environment: environmentName },
    run: (context) => askGate(context, settings, environmentName),
  })
}
