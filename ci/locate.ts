import { posix } from "node:path"

/** Finds files of a repository by what tools call them. */
export interface Locator {
  /** Path in the repository; undefined when there is no such file, or several could be meant. */
  locate(service: string | undefined, named: string): string | undefined
  /** Folder of a service in the repository. */
  folder(service: string): string | undefined
}

/**
 * @param files of the repository, relative to its root
 * @param prefix folder of the project in the repository, "" or with a slash at the end
 * @param folders of the services by name, relative to the project
 */
export function fileLocator(files: readonly string[], prefix: string, folders: ReadonlyMap<string, string>): Locator {
  const known = new Set(files)
  const byName = new Map<string, string[]>()
  for (const file of files) {
    const name = posix.basename(file)
    const same = byName.get(name)
    if (same === undefined) byName.set(name, [file])
    else same.push(file)
  }
  const folder = (service: string) => {
    const path = folders.get(service)
    return path === undefined ? undefined : posix.join(prefix, path)
  }
  return {
    folder,
    locate(service, named) {
      const tidy = posix.normalize(named.replaceAll("\\", "/")).replace(/^(\.?\/)+/, "")
      if (tidy === "" || tidy === "." || tidy.startsWith("../")) return undefined
      const home = service === undefined ? undefined : folder(service)
      const direct = [...(home === undefined ? [] : [posix.join(home, tidy)]), posix.join(prefix, tidy), tidy]
      const found = direct.find((path) => known.has(path))
      if (found !== undefined) return found
      // An absolute path of a container, or a Java package: the longest end that a file of the service has.
      const parts = tidy.split("/")
      const near = (byName.get(parts.at(-1) ?? "") ?? []).filter((file) => home === undefined || isIn(file, home))
      for (let from = 0; from < parts.length; from++) {
        const end = `/${parts.slice(from).join("/")}`
        const matches = near.filter((file) => `/${file}`.endsWith(end))
        if (matches.length > 0) return matches.length === 1 ? matches[0] : undefined
      }
      return undefined
    },
  }
}

const isIn = (file: string, folder: string) => folder === "." || file.startsWith(`${folder}/`)
