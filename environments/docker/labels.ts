import { readRelease, type ReleaseSpec } from "../release.js"

/** Labels hold the state: who looks at the containers knows all that a deployment needs to go on. */
export const labels = {
  /** Prefix of the environment: stack, project and environment. */
  environment: "dev.gantry.environment",
  /** instance, balancer, database, prometheus, network, task */
  role: "dev.gantry.role",
  service: "dev.gantry.service",
  slot: "dev.gantry.slot",
  generation: "dev.gantry.generation",
  /** releaseKey */
  key: "dev.gantry.release-key",
  digest: "dev.gantry.digest",
  commit: "dev.gantry.commit",
  configHash: "dev.gantry.config-hash",
  /** The ReleaseSpec as JSON: enough to start the same again. */
  release: "dev.gantry.release",
  /** When a database's volume was made, ISO 8601: Docker's own time of it moves (moby 20.10 answers the folder's ctime). */
  since: "dev.gantry.since",
  /** What a task is about. */
  task: "dev.gantry.task",
  /** Hash of how a balancer, database or Prometheus was created. */
  spec: "dev.gantry.spec",
  /** Folder of the state that belongs to it. */
  state: "dev.gantry.state",
} as const

export type Role = "instance" | "balancer" | "database" | "prometheus" | "network" | "task"

/** Filter of Docker's list calls. */
export function labelFilter(wanted: Partial<Record<keyof typeof labels, string>>): { label: string[] } {
  return { label: Object.entries(wanted).map(([name, value]) => `${labels[name as keyof typeof labels]}=${value}`) }
}

/** The release an instance was started with; undefined when somebody tampered with its labels. */
export function releaseOf(all: Readonly<Record<string, string>>): ReleaseSpec | undefined {
  return readRelease(all[labels.release])
}
