import { clean, type Condition } from "../../core/condition.js"
import { fault } from "../../core/errors.js"
import { hashJson, type Json } from "../../core/json.js"
import { step, type AnyStep, type MaybeStep, type Step } from "../../core/step.js"
import { declaresDependencies } from "../../environments/targets/dependencies.js"
import { placeKey, placeText } from "../../environments/targets/where.js"
import { environmentOf } from "../environment.js"
import { approvedBy } from "../gate/index.js"
import { Dependencies, type Approval, type Source } from "../outputs.js"
import { placeOf } from "../push/place.js"
import type { Settings } from "../settings.js"

const kernel = () => import("./run.js")

export interface DependenciesWiring {
  readonly source: Step<Source>
  /** The gate: what people have to approve of is not touched without them. */
  readonly approval?: MaybeStep<Approval>
  readonly after?: readonly AnyStep[]
}
type DependenciesNeeds = { readonly source: Step<Source> }
type ApprovedNeeds = DependenciesNeeds & { readonly approval: MaybeStep<Approval> }

/** Volumes are made, replicas copy data, one dependency after the other. Milliseconds beside their own `waitSeconds`. */
const overhead = 10 * 60_000

/**
 * Brings an environment's own dependencies (MySQL, Redis, RocketMQ) to what the commit declares, before any service is
 * migrated or deployed there. Undefined where none is declared.
 * @throws ENVIRONMENT-UNKNOWN and DEPENDENCIES-WANT-GATE while the pipeline is made; DEPENDENCY-…, K8S-…; GATE-UNPROVEN
 */
export function dependencies(
  settings: Settings,
  environmentName: string,
  { source, approval, after = [] }: DependenciesWiring,
): MaybeStep<Dependencies> | undefined {
  const environment = environmentOf(settings, environmentName)
  if (!declaresDependencies(environment)) return undefined
  const first = Object.keys(settings.environments)[0] === environmentName
  const id = `dependencies-${environmentName}`
  const shared = { ...common(settings, environmentName), after }
  if (approval !== undefined) {
    return step<ApprovedNeeds, Dependencies, string, Condition>(id, {
      ...shared,
      needs: { source, approval },
      stage: "rollout",
      when: clean(),
      run: async (context) => {
        const undone = `The dependencies of ${environmentName} are left as they are`
        await approvedBy(context, settings, environmentName, undefined, undone)
        return (await kernel()).runDependencies(context, settings, environmentName)
      },
    })
  }
  if (environment.approvals !== undefined) throw wantsGate(environmentName)
  return step<DependenciesNeeds, Dependencies, string, Condition | undefined>(id, {
    ...shared,
    needs: { source },
    stage: `deploy-${environmentName}`,
    when: first ? undefined : clean(),
    run: async (context) => (await kernel()).runDependencies(context, settings, environmentName),
  })
}

function common(settings: Settings, environmentName: string) {
  const environment = environmentOf(settings, environmentName)
  const declared = environment.kubernetes.dependencies
  const names = Object.keys(declared)
  const seconds = Object.values(declared).reduce((sum, { waitSeconds }) => sum + waitSeconds, 0)
  const { passwordSecret } = placeOf(settings.engine, settings.project, "charts")
  const place = placeText(settings.project, environment)
  const what = hashJson(declared).slice(0, 16)
  return {
    environment: environmentName,
    summary: [names.join(", "), ...(place === undefined ? [] : [`in ${place}`])].join("; "),
    engine: false,
    secrets: passwordSecret === undefined ? [] : [passwordSecret],
    output: Dependencies,
    timeout: seconds * 1000 + overhead,
    params: { environment: environmentName, dependencies: declared as unknown as Json },
    effect: {
      key: ({ needs }: { readonly needs: { readonly source: Source } }) =>
        `dependencies:${placeKey(settings.project, environment)}:${needs.source.tree}:${what}`,
      retry: { attempts: 2 },
      // Applying the same again changes nothing.
      reconcile: "repeat" as const,
    },
  }
}

function wantsGate(environment: string) {
  return fault({
    code: "DEPENDENCIES-WANT-GATE",
    kind: "usage",
    message: `${environment} demands approvals, and the pipeline changes its dependencies without asking anybody`,
    reason: `environments.${environment}.approvals of gantry.config.ts`,
    hint: "Hand dependencies() the step of the gate: { source, approval }.",
  })
}
