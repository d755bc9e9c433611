import type { DefaultRule } from "./defaults.js"

/** One instance of those that are compared. */
export interface Party {
  /** Its place in the balancer, from 1. */
  readonly slot: number
  /** The container's, or the pod's. */
  readonly name: string
}

/** The instances that a query is asked about. */
export interface Group {
  readonly service: string
  readonly instances: readonly Party[]
  /** Paths that are asked by machines alone: no figure of the users'. */
  readonly probes: readonly string[]
  /** How far back it looks. Seconds, not less than a millisecond. */
  readonly windowSeconds: number
}

/** What is filled in where a query has `$<name>`. `servers` and `instances` are patterns for `=~`, which is anchored. */
export type Placeholder = "service" | "servers" | "instances" | "probes" | "window"

/** How a source of figures is asked: which series it has, and what they call an instance. */
export interface Dialect {
  /** Requests that were brought to the group within the window. */
  readonly requests: string
  /** Of how many instances of the group there are figures at all. */
  readonly scraped: string
  /** How far back `scraped` looks: longer than anybody's interval between two scrapes. Seconds. */
  readonly scrapedSeconds: number
  /** Why so many are too few to say anything; undefined: they are enough. */
  unscraped(found: number, group: Group): string | undefined
  /** Queries of the default rules. */
  readonly queries: Readonly<Record<DefaultRule, string>>
  /** The names by which the group is known there. */
  names(group: Group): Readonly<Record<"servers" | "instances", string>>
  /** The services measure themselves: one that answers no figures (`metrics`) cannot be judged. */
  readonly ownFigures: boolean
}
