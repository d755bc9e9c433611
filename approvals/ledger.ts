import { mkdir, open, readdir, readFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { z } from "zod"
import { fault } from "../core/errors.js"
import { fileFault, writeDurably } from "../core/files.js"
import { hashJson, type Json } from "../core/json.js"
import { takeLock } from "../core/lock.js"
import { Statement } from "./statement.js"

/** Where the decisions about a gate of a run lie. */
const gateDir = (runDir: string, gate: string) => join(runDir, "approvals", gate)

/** What is to be decided, as the gate wrote it. */
export const EvidenceFile = z.object({
  gate: z.string(),
  run: z.string(),
  environment: z.string(),
  required: z.number(),
  roles: z.array(z.string()),
  expiresAfterHours: z.number(),
  author: z.object({ name: z.string(), email: z.string() }),
  evidence: z.record(z.string(), z.json()),
  evidenceHash: z.string(),
})
export type EvidenceFile = z.infer<typeof EvidenceFile>

export async function writeEvidence(runDir: string, file: EvidenceFile): Promise<void> {
  const dir = gateDir(runDir, file.gate)
  await mkdir(dir, { recursive: true })
  await writeDurably(join(dir, "evidence.json"), JSON.stringify(file, null, 2) + "\n")
}

/** The gates of a run that have put their evidence up for decision. */
export async function gatesOf(runDir: string): Promise<readonly string[]> {
  return readdir(join(runDir, "approvals")).catch(() => [])
}

/** @throws APPROVAL-EVIDENCE when it is missing or its hash is not the hash of its content */
export async function readEvidence(runDir: string, gate: string): Promise<EvidenceFile> {
  const path = join(gateDir(runDir, gate), "evidence.json")
  const broken = (reason: string, cause?: unknown) =>
    fault({
      code: "APPROVAL-EVIDENCE",
      kind: "errored",
      message: `The evidence of gate ${gate} cannot be trusted`,
      reason: `${path}: ${reason}`,
      hint: "Nothing is decided on it. `gantry resume` the run: the gate writes its evidence anew from the records.",
      cause,
    })
  let file: EvidenceFile
  try {
    file = EvidenceFile.parse(JSON.parse(await readFile(path, "utf8")))
  } catch (cause) {
    throw broken((cause as Error).message, cause)
  }
  if (hashJson(file.evidence) !== file.evidenceHash) throw broken("its hash does not match its content")
  return file
}

/** Keeps a decision: in the run, and in the project's append-only log. Never overwrites an earlier one. */
export async function keepStatement(storeRoot: string, runDir: string, statement: Statement): Promise<void> {
  const dir = gateDir(runDir, statement.gate)
  await mkdir(dir, { recursive: true })
  const name = `${statement.at.replace(/[:.]/g, "-")}-${statement.email.replace(/[^a-z0-9]+/gi, "-")}.json`
  await writeDurably(join(dir, name), JSON.stringify(statement, null, 2) + "\n")
  await appendAudit(storeRoot, { type: statement.decision, ...statement })
}

/** All decisions about a gate, oldest first. A file that is no statement is passed over: it proves nothing. */
export async function readStatements(runDir: string, gate: string): Promise<readonly Statement[]> {
  const dir = gateDir(runDir, gate)
  const names = await readdir(dir).catch(() => [])
  const statements: Statement[] = []
  for (const name of names.sort()) {
    if (name === "evidence.json" || !name.endsWith(".json")) continue
    const parsed = Statement.safeParse(parse(await readFile(join(dir, name), "utf8")))
    if (parsed.success) statements.push(parsed.data)
  }
  return statements
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

interface AuditLine {
  readonly seq: number
  readonly at: string
  /** Hash of the line before, "" for the first. */
  readonly previous: string
  readonly entry: Json
  /** SHA-256 over the canonical JSON of the four fields above. */
  readonly hash: string
}

/** `.gantry/audit.ndjson`: append-only; each line holds the hash of the one before, so a change in the middle shows. */
export async function appendAudit(storeRoot: string, entry: Json): Promise<void> {
  const path = join(storeRoot, "audit.ndjson")
  await mkdir(dirname(path), { recursive: true })
  const release = await takeLock(`${path}.lock`, "The audit log")
  try {
    const lines = await readAudit(path)
    const last = lines[lines.length - 1]
    const line = { seq: (last?.seq ?? 0) + 1, at: new Date().toISOString(), previous: last?.hash ?? "", entry }
    const file = await open(path, "a")
    try {
      await file.appendFile(JSON.stringify({ ...line, hash: hashJson(line) }) + "\n")
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw fileFault(cause, path)
  } finally {
    await release()
  }
}

async function readAudit(path: string): Promise<readonly AuditLine[]> {
  const text = await readFile(path, "utf8").catch(() => "")
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as AuditLine)
}

/** Undefined when the chain is whole, else the first line that is wrong (1 is the first). */
export async function checkAudit(storeRoot: string): Promise<number | undefined> {
  let previous = ""
  const lines = await readAudit(join(storeRoot, "audit.ndjson"))
  for (const [index, { hash, ...line }] of lines.entries()) {
    if (line.previous !== previous || line.seq !== index + 1 || hashJson(line) !== hash) return index + 1
    previous = hash
  }
  return undefined
}
