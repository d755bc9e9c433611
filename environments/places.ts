import { createHash } from "node:crypto"
import { join } from "node:path"
import { homeOf, type EngineConfig } from "../engine/config.js"
import type { Environment } from "./environment.js"

/** What environments need to know of a project. The settings of the steps satisfy it. */
export interface Project {
  readonly project: string
  readonly engine: EngineConfig
  readonly services: readonly {
    readonly name: string
    readonly calls?: readonly string[]
    readonly callers?: readonly string[]
  }[]
  readonly environments: Readonly<Record<string, Environment>>
}

/** Names and folders of an environment, all derived, so that every process finds the same things. */
export interface Place {
  /** `<stack>-<project>-<environment>`: how every name of the environment begins. */
  readonly prefix: string
  /** State of the whole project: ports and places in the networks. */
  readonly projectFolder: string
  /** State of the environment. Only its owner can read it: credentials lie there. */
  readonly folder: string
}

export function placeOf(project: Pick<Project, "project" | "engine">, environment: string): Place {
  const projectFolder = join(homeOf(project.engine), "environments", `${project.engine.stack}-${project.project}`)
  return {
    prefix: `${project.engine.stack}-${project.project}-${environment}`,
    projectFolder,
    folder: join(projectFolder, environment),
  }
}

/** Folder of a service's state within its environment. */
export function serviceFolder(place: Place, service: string): string {
  return join(place.folder, "services", service)
}

/** A number below `range` that depends on the text alone. */
export function stableNumber(text: string, range: number): number {
  return createHash("sha256").update(text).digest().readUInt32BE(0) % range
}
