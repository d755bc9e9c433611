import type { ChartInput } from "./values.js"

/** How users reach a service, as it was found out from configuration and cluster. */
export interface Exposed {
  /** For people: "HTTPRoute of Gateway lab/public". */
  readonly text: string
  readonly values: NonNullable<ChartInput["exposure"]>
  /** Shares follow the number of instances: there is nothing that takes weights. */
  readonly byReplicas: boolean
  /** Whether requests with the testers' header can be told apart. */
  readonly testers: boolean
  /** Namespaces that the traffic comes from. */
  readonly from: readonly string[]
  /** Addresses, as far as they are known: ports of nodes are only when the Services are there. */
  urls(): Promise<{ readonly live: string | undefined; readonly preview: string | undefined }>
}
