import { z } from "zod"
import { fault } from "../../core/errors.js"
import type { Notes } from "../memory.js"

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

/** What was migrated in an environment, newest first. @throws MIGRATION-STATE when the note cannot be understood */
export async function readMigrations(notes: Notes): Promise<readonly MigrationEntry[]> {
  const note = await notes.read("migrations")
  if (note === undefined) return []
  const read = Journal.safeParse(note)
  if (read.success) return read.data.entries
  // Not taken for an empty one: then everything would run again.
  throw fault({
    code: "MIGRATION-STATE",
    kind: "errored",
    message: "What was migrated there cannot be read",
    reason: `${notes.where("migrations")}: ${read.error.issues[0]?.message ?? "no journal"}`,
    hint: "Bring it back from a backup, or remove it when the migrations may run again.",
    cause: read.error,
  })
}

/** Writes down durably how it stands with a migration; an earlier entry about the same gives way. */
export async function recordMigration(notes: Notes, entry: MigrationEntry): Promise<MigrationEntry> {
  const others = (await readMigrations(notes)).filter((e) => e.key !== entry.key)
  const entries = [entry, ...others].slice(0, kept)
  await notes.write("migrations", { schema: 1, entries })
  return entry
}
