import { z } from "zod"
import type { Notes } from "../../memory.js"

const Entry = z.object({
  name: z.string(),
  kind: z.string(),
  /** Of what it is made of. */
  hash: z.string(),
  /** What it consists of: "apps/v1 StatefulSet mysql". */
  objects: z.array(z.string()),
  commit: z.string(),
  status: z.enum(["started", "ready"]),
  /** ISO 8601. */
  at: z.string(),
})
export type DependencyEntry = z.infer<typeof Entry>

const Note = z.object({ schema: z.literal(1), dependencies: z.array(Entry) })

const noteName = "dependencies"

/** What is remembered of an environment's dependencies, in the order of their names. */
export async function readEntries(notes: Notes): Promise<readonly DependencyEntry[]> {
  return Note.safeParse(await notes.read(noteName)).data?.dependencies ?? []
}

/** Written before anything is applied, and again when it is ready. */
export async function writeEntry(notes: Notes, entry: DependencyEntry): Promise<void> {
  const others = (await readEntries(notes)).filter(({ name }) => name !== entry.name)
  const dependencies = [...others, entry].sort((a, b) => (a.name < b.name ? -1 : 1))
  await notes.write(noteName, { schema: 1, dependencies })
}
