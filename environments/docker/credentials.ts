import { randomBytes } from "node:crypto"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { exists, writeAtomic } from "../../engine/files.js"
import { serviceFolder, type Place } from "../places.js"

/** Credentials of a service's database in one environment. Generated there, different in every environment. */
export interface DatabaseCredentials {
  readonly name: string
  readonly user: string
  readonly password: string
  /** Host paths of the files that hold the passwords: the user's and root's. Readable by their owner alone. */
  readonly files: { readonly password: string; readonly root: string }
}

/** Reads the credentials, and makes them where there are none yet. */
export async function databaseCredentials(place: Place, service: string): Promise<DatabaseCredentials> {
  const folder = serviceFolder(place, service)
  const files = { password: join(folder, "database-password"), root: join(folder, "database-root-password") }
  for (const file of Object.values(files)) {
    if (!(await exists(file))) await writeAtomic(file, randomBytes(24).toString("base64url"), 0o600)
  }
  const name = service.replaceAll("-", "_")
  return { name, user: name, password: await readFile(files.password, "utf8"), files }
}

/** Whether credentials had been made before: a database volume without them is locked for good. */
export async function hasCredentials(place: Place, service: string): Promise<boolean> {
  return exists(join(serviceFolder(place, service), "database-password"))
}
