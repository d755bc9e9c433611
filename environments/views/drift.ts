/** Something that is not as Gantry made it. */
export interface Drift {
  /** Name of the container, of the server in the balancer, or kind and name of the object. */
  readonly what: string
  /** What of it, e.g. "memory", "variable DB_HOST", "spec.replicas". */
  readonly field: string
  readonly expected: string
  /** Secret values are `***` on both sides. */
  readonly found: string
  /** Who has set it, where the target knows. */
  readonly by?: string | undefined
}
