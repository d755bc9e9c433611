import { join } from "node:path"
import { z } from "zod"
import { readJson, writeAtomic } from "../engine/files.js"
import { serviceFolder, type Place } from "./places.js"
import { releaseKey, ReleaseSpec } from "./release.js"

const Entry = z.object({
  release: ReleaseSpec,
  /** Counts the deployments of the service in this environment, from 1. */
  generation: z.number().int(),
  /** When it had been rolled out whole, ISO 8601. */
  at: z.string(),
  replicas: z.number().int(),
})
export type HistoryEntry = z.infer<typeof Entry>

/** Releases that were rolled out whole, newest first, each with all it takes to run it again. */
const History = z.object({ schema: z.literal(1), entries: z.array(Entry) })

const kept = 20

export async function readHistory(place: Place, service: string): Promise<readonly HistoryEntry[]> {
  return History.safeParse(await readJson(historyFile(place, service))).data?.entries ?? []
}

/** Writes down that a release runs. The same release again stays what and since when it was. */
export async function recordRelease(
  place: Place,
  service: string,
  entry: Omit<HistoryEntry, "generation">,
): Promise<HistoryEntry> {
  const all = await readHistory(place, service)
  const top = all[0]
  const again = top !== undefined && releaseKey(top.release) === releaseKey(entry.release)
  const recorded = again ? { ...top, replicas: entry.replicas } : { ...entry, generation: (top?.generation ?? 0) + 1 }
  const entries = [recorded, ...(again ? all.slice(1) : all)].slice(0, kept)
  await writeAtomic(historyFile(place, service), JSON.stringify({ schema: 1, entries }, undefined, 2), 0o600)
  return recorded
}

function historyFile(place: Place, service: string): string {
  return join(serviceFolder(place, service), "history.json")
}
