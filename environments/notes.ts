import { fileNotes } from "./docker/notes.js"
import { placeOf, serviceFolder, type Project } from "./places.js"
import type { Notes } from "./target.js"

/** The notes of a service in an environment, for those who only look, or leave a word: nothing has to run for it. */
export function notesOf(project: Pick<Project, "project" | "engine">, environment: string, service: string): Notes {
  return fileNotes(serviceFolder(placeOf(project, environment), service))
}
