import type { Cluster, KubeObject } from "../../clients/kubernetes/index.js"
import type { Environment } from "../environment.js"
import type { Departures } from "./departures.js"
import type { Exposed } from "./exposure.js"
import type { RenderTools } from "./render.js"

/** What the parts of a service's place in a cluster share. */
export interface Scene {
  readonly cluster: Cluster
  readonly namespace: string
  readonly project: string
  readonly environment: Environment
  readonly service: string
  /** Services of the project that call it. */
  readonly callers: readonly string[]
  readonly tools: RenderTools
  /** What was rendered already, by its values: traffic is shifted back and forth between the same few. */
  readonly rendered: Map<string, Promise<readonly KubeObject[]>>
  readonly departures: Departures
  /** An image by digest that the cluster's nodes can pull, by its public reference. */
  image(reference: string): Promise<string>
  /** How users reach it; found out once. */
  exposed(): Promise<Exposed>
  tell(line: string): void
}
