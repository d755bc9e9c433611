import { fault, type Fault } from "../../../core/errors.js"
import { lastLines } from "../../faults.js"
import { objectName, type KubernetesObject } from "../object.js"
import type { Trouble } from "../trouble.js"

export interface Where {
  readonly environment: string
  readonly namespace: string
  readonly context: string
  /** Name of the dependency. */
  readonly name: string
}

const look = ({ context, namespace }: Where, what: string) =>
  `kubectl --context ${context} -n ${namespace} describe ${what}`
const wrote = (logs: string) => (logs.trim() === "" ? "" : `\nIts last lines:\n${lastLines(logs, 15)}`)

/**
 * A pod of it will not get over what keeps it from running.
 * @param others its images that nothing of what is declared names
 */
export function brokenFault(
  where: Where,
  pod: string,
  trouble: Trouble,
  logs: string,
  others: readonly string[],
): Fault {
  // Else the reader corrects once more what he has corrected already.
  const stale =
    others.length === 0
      ? ""
      : `\nNo object of ${where.name} names ${others.join(", ")}: its operator chose that, or has not taken up what was changed since; not every operator changes pods that it has made.`
  return fault({
    code: "DEPENDENCY-BROKEN",
    kind: trouble.kind === "unschedulable" || trouble.passing === true ? "errored" : "failed",
    message: `${where.name} in ${where.environment}: ${pod} cannot run`,
    reason: `${trouble.text}${stale}${wrote(logs)}`,
    hint: `Correct its values or manifests and deliver again; what ran before goes on where its kind allows it. ${look(where, `pod ${pod}`)}`,
  })
}

export function jobFault(where: Where, job: KubernetesObject, said: string, logs: string): Fault {
  return fault({
    code: "DEPENDENCY-BROKEN",
    kind: "failed",
    message: `${where.name} in ${where.environment}: ${objectName(job)} failed`,
    reason: `${said}${wrote(logs)}`,
    hint: `A Job of a dependency runs once for each change of it. ${look(where, `job ${job.metadata.name}`)}`,
  })
}

/** Its operator says that it will not be. */
export function stalledFault(where: Where, object: KubernetesObject, said: string): Fault {
  return fault({
    code: "DEPENDENCY-BROKEN",
    kind: "failed",
    message: `${where.name} in ${where.environment}: the operator of ${objectName(object)} has given up`,
    reason: said,
    hint: `Correct it and deliver again. ${look(where, `${object.kind.toLowerCase()} ${object.metadata.name}`)}`,
  })
}

/** Its time is over. */
export function notReadyFault(where: Where, seconds: number, states: readonly string[], more: string): Fault {
  return fault({
    code: "DEPENDENCY-NOT-READY",
    kind: "failed",
    message: `${where.name} in ${where.environment} is not ready after ${Math.round(seconds)} s`,
    reason: `${states.join("; ")}.${more}`,
    hint: `Nothing that needs it was deployed. Does its operator run, and look at this namespace? ${look(where, "pods")}. If it only takes longer: \`waitSeconds\` of the dependency.`,
  })
}

/** The cluster does not know the kind. */
export function kindFault(where: Where, kinds: readonly string[]): Fault {
  return fault({
    code: "DEPENDENCY-KIND",
    kind: "errored",
    message: `${where.name} in ${where.environment}: the cluster of context ${where.context} does not know ${kinds.join(", ")}`,
    reason: "Such kinds come with an operator, which somebody who administers the cluster installs, once.",
    hint: "Install the operator with its CustomResourceDefinitions; or correct apiVersion and kind. Nothing was changed.",
  })
}

/** An object of that name is somebody else's. */
export function takenFault(where: Where, object: KubernetesObject, owner: string): Fault {
  return fault({
    code: "DEPENDENCY-TAKEN",
    kind: "usage",
    message: `${where.name} in ${where.environment}: ${objectName(object)} is ${owner}'s`,
    reason: "Two cannot have one object.",
    hint: "Give it another name by the dependency's values or in its manifests. Nothing was changed.",
  })
}

/** The policies do not know whom they are about. */
export function podsFault(environment: string, name: string): Fault {
  return fault({
    code: "DEPENDENCY-PODS",
    kind: "usage",
    message: `${name} in ${environment}: nothing says which pods are its own`,
    reason:
      "No workload is among its objects, so that an operator makes its pods; without their labels no policy lets a service reach them.",
    hint: `environments.${environment}.kubernetes.dependencies.${name}.pods: labels that the operator gives them.`,
  })
}
