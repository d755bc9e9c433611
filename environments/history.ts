import { z } from "zod"
import { isFault } from "../core/errors.js"
import type { Notes } from "./memory.js"
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

export async function readHistory(notes: Notes): Promise<readonly HistoryEntry[]> {
  return History.safeParse(await notes.read("history")).data?.entries ?? []
}

/** Writes down that a release runs. The same release again stays what and since when it was. */
export async function recordRelease(notes: Notes, entry: Omit<HistoryEntry, "generation">): Promise<HistoryEntry> {
  const all = await readHistory(notes)
  const top = all[0]
  const again = top !== undefined && releaseKey(top.release) === releaseKey(entry.release)
  const recorded = again ? { ...top, replicas: entry.replicas } : { ...entry, generation: (top?.generation ?? 0) + 1 }
  const entries = [recorded, ...(again ? all.slice(1) : all)].slice(0, kept)
  await writeEntries(notes, entries)
  return recorded
}

/** What runs has to be written down: where a place has no room for all, the oldest go first. */
async function writeEntries(notes: Notes, entries: readonly HistoryEntry[]): Promise<void> {
  try {
    await notes.write("history", { schema: 1, entries })
  } catch (error) {
    if (!isFault(error) || error.code !== "NOTES-FULL" || entries.length <= 1) throw error
    await writeEntries(notes, entries.slice(0, Math.ceil(entries.length / 2)))
  }
}
