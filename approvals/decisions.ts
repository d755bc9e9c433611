import { randomBytes } from "node:crypto"
import { mkdir, readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { writeDurably } from "../core/files.js"
import { hashJson, parseJson } from "../core/json.js"
import { appendAudit, readAudit } from "./audit.js"
import { gateDir } from "./evidence.js"
import { Statement, type Via } from "./statement.js"

/** A statement, and which of the two places that keep it know it. */
export interface Decision {
  readonly statement: Statement
  /** Its file lies in the run. */
  readonly filed: boolean
  /** The project's audit log holds it. */
  readonly logged: boolean
  /** Of a statement with `via`: true when the code host knows the act, else why not. Undefined: it was not asked. */
  readonly confirmed?: true | string
}

const prefix = "statement-"

/**
 * Keeps a decision: in the project's append-only log, then in the run. Never overwrites an earlier one. When the process dies
 * in between, a rejection stands and an approval does not.
 * @throws AUDIT-BROKEN, RUN-LOCKED, DISK-FULL, FILE-DENIED
 */
export async function keepStatement(storeRoot: string, runDir: string, statement: Statement): Promise<void> {
  await appendAudit(storeRoot, { type: "decision", statement })
  const dir = gateDir(runDir, statement.gate)
  await mkdir(dir, { recursive: true })
  const name = `${prefix}${statement.at.replace(/[:.]/g, "-")}-${randomBytes(4).toString("hex")}.json`
  await writeDurably(join(dir, name), JSON.stringify(statement, null, 2) + "\n")
}

/** Name of the file of a statement that was made at a code host: whoever knows the act there can ask for it. */
export function hostStatementName({ how, job, user }: Pick<Via, "how" | "job" | "user">): string {
  return `${prefix}${[how, job, user].join("-").replace(/[^\w.-]/g, "_")}.json`
}

/**
 * Keeps a decision that was made at a code host, which is the one that remembers it: an act there is one file here, written
 * again when the act is looked at again.
 * @throws DISK-FULL, FILE-DENIED
 */
export async function keepHostStatement(runDir: string, statement: Statement & { readonly via: Via }): Promise<void> {
  const dir = gateDir(runDir, statement.gate)
  await mkdir(dir, { recursive: true })
  await writeDurably(join(dir, hostStatementName(statement.via)), JSON.stringify(statement, null, 2) + "\n")
}

/**
 * All decisions about a gate of a run, oldest first, from both places. What is no statement is passed over: it proves nothing.
 * @throws AUDIT-BROKEN
 */
export async function readDecisions(
  storeRoot: string,
  runDir: string,
  run: string,
  gate: string,
): Promise<readonly Decision[]> {
  const all = new Map<string, Decision>()
  for (const statement of await filed(gateDir(runDir, gate))) {
    all.set(hashJson(statement), { statement, filed: true, logged: false })
  }
  for (const { entry } of await readAudit(storeRoot)) {
    const parsed = Statement.safeParse((entry as { readonly statement?: unknown } | null)?.statement)
    if (!parsed.success || parsed.data.run !== run || parsed.data.gate !== gate) continue
    const hash = hashJson(parsed.data)
    all.set(hash, { statement: parsed.data, filed: all.has(hash), logged: true })
  }
  return [...all.values()].sort((a, b) => Date.parse(a.statement.at) - Date.parse(b.statement.at))
}

async function filed(dir: string): Promise<readonly Statement[]> {
  const names = await readdir(dir).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return []
    throw cause
  })
  const statements: Statement[] = []
  for (const name of names) {
    if (!name.startsWith(prefix) || !name.endsWith(".json")) continue
    const parsed = Statement.safeParse(parseJson(await readFile(join(dir, name), "utf8")))
    if (parsed.success) statements.push(parsed.data)
  }
  return statements
}
