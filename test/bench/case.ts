/**
 * One benchmark: the same work done in several ways. All ways are measured in turn, round by round, so that whatever else the
 * machine does hits all of them alike; what counts are the ratios between their medians.
 */
export interface Case {
  /** Selects it on the command line: `npm run bench -- scheduler`. */
  readonly name: string
  readonly title: string
  readonly rounds: number
  /** Makes what the variants work on. The folder is empty and removed afterwards. */
  prepare?(dir: string): Promise<void>
  /** Takes away what was made outside of that folder. */
  close?(): Promise<void>
  readonly variants: readonly Variant[]
  /** What the medians say. */
  conclude(median: (variant: string, measure: string) => number): readonly Figure[]
}

export interface Variant {
  readonly name: string
  /** Does the work once; answers what it measured. */
  run(dir: string): Promise<Sample>
}

/** Measures by name, e.g. `ms` (wall time) or `MB` (most memory). */
export type Sample = Readonly<Record<string, number>>

export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** The value is to be below this. */
  readonly goal?: number
}
