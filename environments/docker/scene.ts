import type { EngineContext } from "../../engine/context.js"
import type { Environment } from "../environment.js"
import type { Place } from "../places.js"
import type { EnvironmentPlots } from "../plots.js"

/** What the parts of an environment on the Docker Engine share. */
export interface Scene {
  readonly engine: EngineContext
  readonly environment: Environment
  readonly place: Place
  readonly plots: EnvironmentPlots
  /** Local image of a public reference. */
  image(reference: string): Promise<string>
  tell(line: string): void
}

/** Docker's HTTP status of an error, if it is one of Docker's. */
export function statusOf(error: unknown): number | undefined {
  return (error as { statusCode?: number } | undefined)?.statusCode
}

/** What a call answers, or undefined when Docker says that there is no such thing. */
export async function unlessMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw error
  }
}

/**
 * Has a container run that is there; harmless when it does. Docker calls one that was killed running for a moment longer, so
 * that an order to start it may have been none: who waits for it orders again and again.
 */
export async function keepStarted({ engine }: Pick<Scene, "engine">, name: string): Promise<void> {
  await unlessMissing(engine.docker.getContainer(name).start()).catch((error: unknown) => {
    if (statusOf(error) !== 304) throw error // 304: it runs.
  })
}
