import { rm } from "node:fs/promises"
import { join } from "node:path"
import { readJson, writeAtomic } from "../../engine/files.js"
import type { Notes } from "../target.js"

/** Notes as files beside the other state of a service. @param folder absolute */
export function fileNotes(folder: string): Notes {
  const path = (name: string) => join(folder, `${name}.json`)
  return {
    read: (name) => readJson(path(name)),
    write: (name, value) =>
      value === undefined
        ? rm(path(name), { force: true })
        : writeAtomic(path(name), JSON.stringify(value, undefined, 1), 0o600),
  }
}
