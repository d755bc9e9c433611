import { terminatingFault, type KubeObject } from "../../clients/kubernetes/index.js"
import { fault } from "../../core/errors.js"
import type { Scene } from "./scene.js"

/** Applies objects that do not depend on each other. @throws K8S-CONFLICT, K8S-INVALID, K8S-DENIED, K8S-FORBIDDEN */
export async function applyAll({ cluster }: Pick<Scene, "cluster">, objects: readonly KubeObject[]): Promise<void> {
  await Promise.all(objects.map((object) => cluster.apply(object)))
}

/** The environment's namespace is there, and stays. @throws K8S-NAMESPACE, K8S-NAMESPACE-TERMINATING */
export async function checkNamespace({
  cluster,
  namespace,
  environment,
}: Pick<Scene, "cluster" | "namespace" | "environment">) {
  const found = await cluster.read({ apiVersion: "v1", kind: "Namespace", name: namespace })
  if (found === undefined) {
    throw fault({
      code: "K8S-NAMESPACE",
      kind: "errored",
      message: `There is no namespace ${namespace} for ${environment.name} (context ${cluster.context})`,
      reason: "Gantry makes none: with its account come rights, quotas and policies that somebody has to want.",
      hint: `gantry env rbac ${environment.name} | kubectl --context <an administrator's> apply -f -`,
    })
  }
  if (found.metadata.deletionTimestamp !== undefined) {
    throw terminatingFault(namespace, `since ${found.metadata.deletionTimestamp}`)
  }
}
