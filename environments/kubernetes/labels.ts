/** Labels and annotations of everything that Gantry makes in a cluster. The chart writes the same ones: templates/_helpers.tpl. */
export const labels = {
  name: "app.kubernetes.io/name",
  managedBy: "app.kubernetes.io/managed-by",
  project: "app.kubernetes.io/part-of",
  environment: "gantry.dev/environment",
  part: "gantry.dev/part",
  track: "gantry.dev/track",
  releaseKey: "gantry.dev/release-key",
} as const

export const annotations = {
  /** The ReleaseSpec as JSON. */
  release: "gantry.dev/release",
  configHash: "gantry.dev/config-hash",
  /** How the traffic is shared, as JSON: on the Service. */
  traffic: "gantry.dev/traffic",
  /** What a migration job was made for. */
  migrationKey: "gantry.dev/migration-key",
  /** Uid of the pod that a task had when it was called off: whether that one had begun is not known from the task alone. */
  calledOff: "gantry.dev/called-off",
} as const

/** What an object is for: the value of `labels.part`. */
export const parts = [
  "instance",
  "service",
  "preview",
  "route",
  "config",
  "database",
  "scaling",
  "policy",
  "account",
  "migration",
  "metrics",
] as const
export type Part = (typeof parts)[number]

/** Field manager of scheduled scaling: the fields that it sets are its own. */
export const scheduleManager = "gantry-schedule"
