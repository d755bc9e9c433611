import { readdir } from "node:fs/promises"
import { join, relative, sep } from "node:path"

/** Files that reports may speak of, by their paths relative to the service's folder, with forward slashes. */
export interface KnownFiles {
  has(path: string): boolean
  /**
   * The known file that a report means: the path itself, or its longest end that is known. Reports are written in
   * containers, so their absolute paths (/src/services/catalog/src/app.js) mean nothing here.
   */
  locate(path: string): string | undefined
  /** The known file whose path ends in this: "com/shop/Order.java". Undefined when none does, or more than one. */
  endingIn(end: string): string | undefined
}

export function knownFiles(paths: readonly string[]): KnownFiles {
  const all = new Set(paths)
  return {
    has: (path) => all.has(path),
    locate(path) {
      const parts = path
        .replaceAll("\\", "/")
        .split("/")
        .filter((part) => part !== "" && part !== ".")
      for (let from = 0; from < parts.length; from++) {
        const candidate = parts.slice(from).join("/")
        if (all.has(candidate)) return candidate
      }
      return undefined
    },
    endingIn(end) {
      const found = paths.filter((path) => path === end || path.endsWith(`/${end}`))
      return found.length === 1 ? found[0] : undefined
    },
  }
}

/** Every file below these folders of a service; a folder that does not exist has none. @param root absolute */
export async function listKnown(root: string, folders: readonly string[]): Promise<KnownFiles> {
  const lists = await Promise.all(
    folders.map(async (folder) => {
      const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true }).catch(() => [])
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"))
    }),
  )
  return knownFiles([...new Set(lists.flat())])
}
