import { existsSync } from "node:fs"
import type Docker from "dockerode"
import { noProgress, type Progress } from "../core/progress.js"
import { homeOf, type EngineConfig } from "./config.js"
import { dockerClient } from "./docker/client.js"
import { hostCa } from "./ca.js"

/** What everything below needs: the configuration, a client of the Docker Engine, and who is told about progress. */
export interface EngineContext {
  readonly config: EngineConfig
  readonly home: string
  readonly docker: Docker
  readonly progress: Progress
  readonly signal: AbortSignal | undefined
  /** Host path of the bundle of certificate authorities, where the host has one that differs from the images' own. */
  readonly ca: string | undefined
}

export interface ContextOptions {
  readonly progress?: Progress | undefined
  readonly signal?: AbortSignal | undefined
}

/** Gathers the context of a configuration. Asks nobody yet. */
export function engineContext(config: EngineConfig, options: ContextOptions = {}): EngineContext {
  const ca = hostCa(config)
  return {
    config,
    home: homeOf(config),
    docker: dockerClient(config),
    progress: options.progress ?? noProgress,
    signal: options.signal,
    ca: ca !== undefined && existsSync(ca) ? ca : undefined,
  }
}
