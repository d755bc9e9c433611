import type { KubeObject } from "../../clients/kubernetes/index.js"

/** https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management */
interface ManagedFields {
  readonly manager?: string
  readonly operation?: string
  readonly fieldsV1?: unknown
}

/** Who has set a field, and how: several where they set the same value. */
export interface Owner {
  readonly manager: string
  readonly operation: "Apply" | "Update"
}

/** Who owns a field of an object as it was read. Pure. @param path names of fields, as in "spec.replicas" */
export function ownersOf(object: Pick<KubeObject, "metadata">, path: string): readonly Owner[] {
  const steps = path.split(".").map((name) => `f:${name}`)
  return ((object.metadata.managedFields ?? []) as readonly ManagedFields[])
    .filter(({ fieldsV1 }) => steps.reduce<unknown>(step, fieldsV1) !== undefined)
    .map(({ manager = "", operation }) => ({ manager, operation: operation === "Apply" ? "Apply" : "Update" }))
}

const step = (fields: unknown, name: string): unknown =>
  typeof fields === "object" && fields !== null ? (fields as Readonly<Record<string, unknown>>)[name] : undefined
