import { applyMirror, formatReference, parseReference, type EngineConfig } from "../../engine/index.js"

/** Where Trivy's own defaults have the databases (aquasecurity/trivy, pkg/db and pkg/javadb); the number is the schema's. */
const published = {
  database: "ghcr.io/aquasecurity/trivy-db:2",
  java: "ghcr.io/aquasecurity/trivy-java-db:1",
} as const

/** Name by which the scanner's container reaches this host's loopback. */
export const hostAlias = "gantry-host"

export interface Repositories {
  /** In the order in which they are asked. Empty: Trivy's own defaults. */
  readonly database: readonly string[]
  readonly java: readonly string[]
  /** Ports of this host's loopback behind them. */
  readonly ports: readonly number[]
  /** As they were configured, for errors. */
  readonly names: readonly string[]
}

/**
 * The registries of the databases: those that the configuration names, else the mirror of the public one. Addresses on
 * this host's loopback mean another host inside a container, so they are rewritten.
 */
export function databaseRepositories(engine: EngineConfig): Repositories {
  const { dbRepositories, javaDbRepositories } = engine.trivy
  const names = dbRepositories.length > 0 ? dbRepositories : mirrorOf(published.database, engine)
  const java = javaDbRepositories.length > 0 ? javaDbRepositories : mirrorOf(published.java, engine)
  const ports = new Set<number>()
  const rewrite = (repository: string) =>
    repository.replace(/^(?:127\.0\.0\.1|localhost):(\d+)\//, (_all, port: string) => {
      ports.add(Number(port))
      return `${hostAlias}:${port}/`
    })
  return { database: names.map(rewrite), java: java.map(rewrite), ports: [...ports], names }
}

function mirrorOf(reference: string, engine: EngineConfig): readonly string[] {
  const parsed = parseReference(reference)
  const mirrored = parsed === undefined ? undefined : applyMirror(parsed, engine.mirrors)
  return mirrored === undefined ? [] : [formatReference(mirrored)]
}
