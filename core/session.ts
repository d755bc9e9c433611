import type { Client } from "@dagger.io/dagger"
import type { Fault } from "./errors.js"

/** Where the Dagger session of a run comes from. Opened when the first step needs it, closed with the run. */
export interface SessionProvider {
  /** @throws a fault of the engine when none can be had */
  open(): Promise<Client>
  /** Tells a tool that said no (failed) from an engine that broke (errored); undefined: not an error of the session's. */
  classify(error: unknown): Fault | undefined
  close(): Promise<void>
}
