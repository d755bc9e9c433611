/** A program that is run once with arguments and answers on its standard output. */
export interface Tool {
  /** "helm v3.22.0 on this host", "helm v3.22.0 in a container": what messages name. */
  readonly name: string
  /**
   * Runs it to its end. Only what lies in `folders` can be read, and only `scratch` be written to: in a container nothing
   * else is there. Paths are the same inside and outside. The caller knows what a failure means.
   */
  run(args: readonly string[], options: ToolRun): Promise<ToolRan>
}

export interface ToolRun {
  /** Absolute host folder of this run alone; the caller removes it. */
  readonly scratch: string
  /** Absolute host folders that are read. */
  readonly folders?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
  /** In a container: the network it joins. Default: none. */
  readonly network?: string
}

export interface ToolRan {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}
