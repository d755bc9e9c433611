import type { RunRecord, StepRecord } from "../../core/record.js"

/** A file that a step kept, as text. */
export interface KeptText {
  readonly step: StepRecord
  /** Below the step's folder of artifacts, e.g. "junit/junit.xml". */
  readonly name: string
  readonly text: string
}

/** What the report files of a CI job are made from. */
export interface CiInput {
  /** The record as this job left it. */
  readonly record: RunRecord
  readonly job: string
  /** The steps of the job itself: what others did is in the files of their jobs. */
  readonly steps: readonly StepRecord[]
  readonly kept: readonly KeptText[]
  /** Masks what comes from files; records are masked already. */
  readonly mask: (text: string) => string
  /**
   * Path in the repository of a file that a tool named in its own words (absolute in its container, relative to the
   * service, or only the end of it); undefined when there is no such file.
   */
  readonly locate: (service: string | undefined, path: string) => string | undefined
  /** Folder of a service in the repository. */
  readonly folder: (service: string) => string | undefined
  /** Of this package. */
  readonly version: string
}

/**
 * Names by which files that steps keep are found, whatever step kept them (documented in docs/ci-jobs.md). A renderer knows no step by name.
 */
export const keptNames = {
  junit: /^junit\/.*\.xml$/,
  coverage: /^coverage\//,
  trivy: /(^|\/)trivy\.json$/,
  sbom: /\.cdx\.json$/,
} as const

/** Files of these names, in the order of the steps. */
export function keptAs(input: Pick<CiInput, "kept">, kind: keyof typeof keptNames): readonly KeptText[] {
  return input.kept.filter((file) => keptNames[kind].test(file.name))
}
