import { z } from "zod"
import type { Notes } from "../../memory.js"

const Note = z.object({
  schema: z.literal(1),
  /** Where users reach it, as far as its objects told. */
  url: z.string().optional(),
  /** What each kept release consists of: "apps/v1 Deployment web". */
  releases: z.array(z.object({ key: z.string(), objects: z.array(z.string()) })),
})
type Note = z.infer<typeof Note>

const name = "own"

/** What is remembered of a service's own objects: enough to find those again that a later release does not have. */
export async function readNote(notes: Notes): Promise<Note> {
  return Note.safeParse(await notes.read(name)).data ?? { schema: 1, releases: [] }
}

export async function writeNote(notes: Notes, note: Note): Promise<void> {
  await notes.write(name, note)
}

/** Notes what a release consists of, before any of it is applied: whoever comes after a killed process finds it. */
export async function noteRelease(notes: Notes, key: string, objects: readonly string[]): Promise<void> {
  const note = await readNote(notes)
  if (note.releases.some((r) => r.key === key)) return
  await writeNote(notes, { ...note, releases: [...note.releases, { key, objects: [...objects] }] })
}
