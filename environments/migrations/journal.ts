import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { z } from "zod"
import { fault } from "../../core/errors.js"
import { writeAtomic } from "../../engine/files.js"
import { serviceFolder, type Place } from "../places.js"

const Entry = z.object({
  /** Identity of the migration: its command and the content that it applies. */
  key: z.string(),
  /** Hash over the migration's files; the release's digest where it names none. */
  content: z.string(),
  run: z.string(),
  /** The release whose image ran it. */
  digest: z.string(),
  commit: z.string(),
  compatible: z.boolean(),
  timeoutSeconds: z.number(),
  /** Since when the database exists that it ran on: on another one it has not run. */
  database: z.string().optional(),
  /** started: begun, its end not known yet. */
  status: z.enum(["started", "done", "failed"]),
  /** ISO 8601. */
  startedAt: z.string(),
  endedAt: z.string().optional(),
  exitCode: z.number().optional(),
  /** Why it failed; who said how it ended, where a person did. */
  note: z.string().optional(),
})
export type MigrationEntry = z.infer<typeof Entry>

const Journal = z.object({ schema: z.literal(1), entries: z.array(Entry) })

const kept = 50

/** What was migrated in an environment, newest first. @throws MIGRATION-STATE when the file cannot be understood */
export async function readMigrations(place: Place, service: string): Promise<readonly MigrationEntry[]> {
  const file = journalFile(place, service)
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return undefined
    throw cause
  })
  if (text === undefined) return []
  try {
    return Journal.parse(JSON.parse(text)).entries
  } catch (cause) {
    // Not taken for an empty one: then everything would run again.
    throw fault({
      code: "MIGRATION-STATE",
      kind: "errored",
      message: `What was migrated of ${service} cannot be read`,
      reason: `${file}: ${(cause as Error).message.split("\n")[0]}`,
      hint: "Bring the file back from a backup of the Gantry home, or remove it when the migrations may run again.",
      cause,
    })
  }
}

/** Writes down durably how it stands with a migration; an earlier entry about the same gives way. */
export async function recordMigration(place: Place, service: string, entry: MigrationEntry): Promise<MigrationEntry> {
  const others = (await readMigrations(place, service)).filter((e) => e.key !== entry.key)
  const entries = [entry, ...others].slice(0, kept)
  await writeAtomic(journalFile(place, service), JSON.stringify({ schema: 1, entries }, undefined, 2), 0o600)
  return entry
}

function journalFile(place: Place, service: string): string {
  return join(serviceFolder(place, service), "migrations.json")
}
