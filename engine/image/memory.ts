import { join } from "node:path"
import { readJson, writeAtomic } from "../files.js"

/** Answers that are remembered between processes, each for a while. Losing one costs a request, nothing more. */
interface Entry {
  readonly value: unknown
  /** Milliseconds since 1970. */
  readonly until: number
}

function pathOf(home: string): string {
  return join(home, "state", "remembered.json")
}

async function load(home: string): Promise<Record<string, Entry>> {
  const now = Date.now()
  const entries = ((await readJson(pathOf(home))) ?? {}) as Record<string, Entry>
  return Object.fromEntries(Object.entries(entries).filter(([, entry]) => entry.until > now))
}

export async function recall<T>(home: string, key: string): Promise<T | undefined> {
  return (await load(home))[key]?.value as T | undefined
}

/** Writers of one process go one after the other; between processes the last one wins. */
let writing: Promise<unknown> = Promise.resolve()

export function remember(home: string, key: string, value: unknown, seconds: number): Promise<void> {
  const write = async (): Promise<void> => {
    const entries = { ...(await load(home)), [key]: { value, until: Date.now() + seconds * 1000 } }
    await writeAtomic(pathOf(home), JSON.stringify(entries))
  }
  const next = writing.then(write, write)
  writing = next
  return next
}

export function forget(home: string, key: string): Promise<void> {
  return remember(home, key, undefined, -1)
}
