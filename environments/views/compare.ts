import { canonicalJson, type Json } from "../../core/json.js"
import { parseConfig } from "../config-profile.js"
import { readHistory, type HistoryEntry } from "../history.js"
import type { Project } from "../places.js"
import { shown } from "./secretive.js"
import { viewOf } from "../targets/view-of.js"

/** One thing in which a service differs between two environments. What looks like a secret is `***`. */
export interface EnvironmentDifference {
  readonly service: string
  /** "digest", "config shop.banner", "variable LOG_LEVEL", "replicas" … */
  readonly what: string
  /** Undefined: it is not there. */
  readonly a: string | undefined
  readonly b: string | undefined
}

/**
 * In what two environments differ: the release that ran whole last, and all that it runs with, key by key. What is to be run
 * next says the configuration, not this.
 */
export async function compareEnvironments(
  project: Project,
  a: string,
  b: string,
): Promise<readonly EnvironmentDifference[]> {
  const result: EnvironmentDifference[] = []
  const [one, other] = await Promise.all([viewOf(project, a), viewOf(project, b)])
  for (const { name: service } of project.services) {
    const [[first], [second]] = await Promise.all([
      readHistory(one.memory(service).notes),
      readHistory(other.memory(service).notes),
    ])
    result.push(...differences(service, facts(first), facts(second)))
  }
  return result
}

type Facts = ReadonlyMap<string, string>

export function differences(service: string, a: Facts, b: Facts): readonly EnvironmentDifference[] {
  return [...new Set([...a.keys(), ...b.keys()])].flatMap((what) => {
    const [is, other] = [a.get(what), b.get(what)]
    return is === other ? [] : [{ service, what, a: shown(what, is), b: shown(what, other) }]
  })
}

/** What a release is made of, each by what people call it. None: it was never deployed. */
export function facts(entry: HistoryEntry | undefined): Facts {
  if (entry === undefined) return new Map()
  const { release, replicas } = entry
  const all: Record<string, Json | undefined> = {
    digest: release.digest,
    commit: release.commit,
    replicas,
    port: release.port,
    readiness: release.readiness,
    "startup seconds": release.startupSeconds,
    calls: release.calls.join(" ") || undefined,
    database: release.database,
    "memory in MB": release.resources.memoryMB,
    cores: release.resources.cpus,
    "own objects": release.own?.slice(0, 12),
    ...prefixed("variable", release.env),
    ...prefixed("config", flat(parseConfig("application.yml", release.config))),
  }
  return new Map(
    Object.entries(all).flatMap(([what, value]) =>
      value === undefined ? [] : [[what, typeof value === "string" ? value : canonicalJson(value)]],
    ),
  )
}

function prefixed(word: string, values: Readonly<Record<string, Json>>): Record<string, Json> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [`${word} ${key}`, value]))
}

/** `{ shop: { banner } }` → `{ "shop.banner": … }`; lists stay whole. */
function flat(tree: Readonly<Record<string, Json>>, path = ""): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(tree).flatMap(([key, value]): [string, Json][] => {
      const here = path === "" ? key : `${path}.${key}`
      const isMap = typeof value === "object" && value !== null && !Array.isArray(value)
      return isMap ? Object.entries(flat(value as Readonly<Record<string, Json>>, here)) : [[here, value]]
    }),
  )
}
