import { open, readFile, truncate } from "node:fs/promises"
import { dirname, join } from "node:path"
import { z } from "zod"
import { fault } from "../core/errors.js"
import { fileFault, syncFolder } from "../core/files.js"
import { hashJson, type Json } from "../core/json.js"
import { withLock } from "../core/lock.js"

/**
 * `.gantry/audit.ndjson`: append-only; each line holds the hash of the one before, so a change in the middle shows. What it
 * cannot show by itself is that its end was cut off, or that all of it was written anew; decisions are therefore kept twice,
 * here and in their run, and an approval that only one of them knows does not count.
 */
const AuditLine = z.strictObject({
  /** 1 for the first. */
  seq: z.number().int(),
  at: z.iso.datetime(),
  /** Hash of the line before, "" for the first. */
  previous: z.string(),
  entry: z.json(),
  /** SHA-256 over the canonical JSON of the four fields above. */
  hash: z.string(),
})
export type AuditLine = z.infer<typeof AuditLine>

const auditPath = (storeRoot: string) => join(storeRoot, "audit.ndjson")

/** Adds an entry, durably. Waits for other writers. @throws AUDIT-BROKEN, DISK-FULL, FILE-DENIED */
export async function appendAudit(storeRoot: string, entry: Json): Promise<void> {
  const path = auditPath(storeRoot)
  try {
    await withLock(`${path}.lock`, "writing the audit log", async () => {
      const { lines, whole, torn } = await load(path)
      // A line without its newline was being written when its process died: it did not happen.
      if (torn) await truncate(path, whole)
      const last = lines[lines.length - 1]
      const line = { seq: lines.length + 1, at: new Date().toISOString(), previous: last?.hash ?? "", entry }
      const file = await open(path, "a")
      try {
        await file.appendFile(JSON.stringify({ ...line, hash: hashJson(line) }) + "\n")
        await file.sync()
      } finally {
        await file.close()
      }
      if (last === undefined) await syncFolder(dirname(path))
    })
  } catch (cause) {
    throw fileFault(cause, path)
  }
}

/** All lines, after checking the chain. @throws AUDIT-BROKEN */
export async function readAudit(storeRoot: string): Promise<readonly AuditLine[]> {
  return (await load(auditPath(storeRoot))).lines
}

/** Undefined when the chain is whole, else the first line that is wrong (1 is the first). */
export async function checkAudit(storeRoot: string): Promise<number | undefined> {
  const text = await readText(auditPath(storeRoot))
  return check(text.slice(0, text.lastIndexOf("\n") + 1)).wrong
}

interface Loaded {
  readonly lines: readonly AuditLine[]
  /** Bytes up to the last newline. */
  readonly whole: number
  /** Something follows them. */
  readonly torn: boolean
}

async function load(path: string): Promise<Loaded> {
  const text = await readText(path)
  const whole = text.slice(0, text.lastIndexOf("\n") + 1)
  const { lines, wrong } = check(whole)
  if (wrong === undefined) return { lines, whole: Buffer.byteLength(whole), torn: whole.length < text.length }
  throw fault({
    code: "AUDIT-BROKEN",
    kind: "errored",
    message: `The audit log was changed: line ${wrong} does not follow from the one before`,
    reason: path,
    hint: `No decision counts until it is settled. Find out who changed it, keep it, and begin a new one: mv ${path} ${path}.broken`,
  })
}

async function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return ""
    throw cause
  })
}

function check(text: string): { readonly lines: readonly AuditLine[]; readonly wrong?: number } {
  const lines: AuditLine[] = []
  let previous = ""
  for (const raw of text.split("\n").slice(0, -1)) {
    const line = parseLine(raw)
    const seq = lines.length + 1
    if (line === undefined) return { lines, wrong: seq }
    const { hash, ...rest } = line
    if (line.seq !== seq || line.previous !== previous || hashJson(rest) !== hash) return { lines, wrong: seq }
    lines.push(line)
    previous = hash
  }
  return { lines }
}

function parseLine(raw: string): AuditLine | undefined {
  try {
    return AuditLine.parse(JSON.parse(raw))
  } catch {
    return undefined
  }
}
