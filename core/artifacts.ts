import { z } from "zod"

/** A file that a step leaves in the run directory. Bytes are named by their hash, so another process can check them. */
export const Artifact = z.object({
  /** Relative to the run directory. */
  path: z.string(),
  /** Lower-case hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Bytes. */
  size: z.number().int().nonnegative(),
})
export type Artifact = z.infer<typeof Artifact>

export interface Artifacts {
  /**
   * Keeps a copy of a file, or a text, under `artifacts/<step>/<name>`; `name` may have folders. What is kept is not masked.
   * @throws DISK-FULL, ARTIFACT-NAME
   */
  put(name: string, source: { readonly text: string } | { readonly file: string }): Promise<Artifact>
  /** Keeps every file of a folder, names relative to it. */
  putFolder(prefix: string, folder: string): Promise<readonly Artifact[]>
  /** Absolute path of an artifact of this run, after checking size and hash. @throws ARTIFACT-TAMPERED, ARTIFACT-MISSING */
  open(artifact: Artifact): Promise<string>
}
