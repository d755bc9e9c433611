import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { LineCounter, parseDocument, stringify } from "yaml"
import { fault } from "../core/errors.js"
import { canonicalJson, type Json } from "../core/json.js"

/** Folder of the configuration that every service gets (section 3.4.2). */
export const commonFolder = "service-common"

type Tree = { readonly [key: string]: Json }

/** The files that make up a service's configuration in an environment, the later ones win. None of them must exist. */
export function configFiles(serviceFolder: string, profile: string): readonly string[] {
  return [commonFolder, serviceFolder].flatMap((folder) => [
    join(folder, "application.yml"),
    join(folder, `application-${profile}.yml`),
  ])
}

/**
 * Merges the files of a profile. Maps merge key by key; a list or a value replaces what was there; `null` takes it away.
 * @param repository absolute folder of the config repository
 * @returns YAML text with sorted keys: the same settings are the same text
 * @throws CONFIG-YAML with file and line
 */
export async function configProfile(repository: string, serviceFolder: string, profile: string): Promise<string> {
  let merged: Tree = {}
  for (const file of configFiles(serviceFolder, profile)) {
    const text = await readFile(join(repository, file), "utf8").catch((cause: unknown) => {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined
      throw cause
    })
    if (text !== undefined) merged = mergeConfig(merged, parseConfig(file, text))
  }
  return canonicalYaml(merged)
}

/** @param file named in the error @throws CONFIG-YAML */
export function parseConfig(file: string, text: string): Tree {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const error = document.errors[0]
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0])
    throw badConfig(`${file}:${line}:${col}`, error.message)
  }
  const value = document.toJS() as unknown
  if (value === null || value === undefined) return {}
  if (typeof value !== "object" || Array.isArray(value)) {
    throw badConfig(`${file}:1`, "the file must hold a map of settings")
  }
  return value as Tree
}

export function mergeConfig(base: Tree, over: Tree): Tree {
  const result: Record<string, Json> = { ...base }
  for (const [key, value] of Object.entries(over)) {
    const before = result[key]
    if (value === null) delete result[key]
    else result[key] = isTree(before) && isTree(value) ? mergeConfig(before, value) : value
  }
  return result
}

function canonicalYaml(tree: Tree): string {
  return stringify(JSON.parse(canonicalJson(tree)), { lineWidth: 0 })
}

function isTree(value: Json): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function badConfig(where: string, reason: string) {
  return fault({
    code: "CONFIG-YAML",
    kind: "failed",
    message: `${where} is not valid YAML: ${reason.split("\n")[0]}`,
    hint: "Correct the file of the config repository, commit it, and run again.",
  })
}
