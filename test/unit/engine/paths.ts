import { join } from "node:path"

/** A file of this repository. */
export function lookup(path: string): string {
  return join(import.meta.dirname, "..", "..", "..", path)
}
