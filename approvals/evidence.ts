import { mkdir, readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { z } from "zod"
import { fault } from "../core/errors.js"
import { writeDurably } from "../core/files.js"
import { hashJson, type Json } from "../core/json.js"

/** Where the evidence and the decisions of a gate of a run lie. */
export const gateDir = (runDir: string, gate: string) => join(runDir, "approvals", gate)
const evidenceName = "evidence.json"

/** What a gate asks of the people who decide. */
export const Demands = z.object({
  /** Different people, none of them an author. */
  required: z.number().int().min(1),
  /** Roles that may approve; empty: every approver. */
  roles: z.array(z.string()),
  /** An approval is void after so many hours. */
  expiresAfterHours: z.number().positive(),
})
export type Demands = z.infer<typeof Demands>

/**
 * What is decided about: one canonical document. The gate adds what it knows of the release; the fields here are the ones
 * that the rules of approval read, so all of them are under the hash that a statement names.
 */
export const Evidence = z
  .object({
    run: z.string(),
    gate: z.string(),
    environment: z.string(),
    commit: z.string(),
    tree: z.string(),
    /** Author and co-authors of the commit. */
    authors: z.array(z.object({ name: z.string(), email: z.string() })).min(1),
    demands: Demands,
  })
  .catchall(z.json())
export type Evidence = z.infer<typeof Evidence>

const EvidenceFile = z.strictObject({ schema: z.literal(1), evidence: z.json(), evidenceHash: z.string() })

/** Evidence as it was read or written, with the hash that statements name. */
export interface BoundEvidence {
  readonly evidence: Evidence
  /** SHA-256 over the canonical JSON of `evidence`. */
  readonly hash: string
}

/** Puts evidence up for decision: `approvals/<gate>/evidence.json` in the run. @throws DISK-FULL, FILE-DENIED */
export async function writeEvidence(runDir: string, evidence: Evidence): Promise<BoundEvidence> {
  const dir = gateDir(runDir, evidence.gate)
  await mkdir(dir, { recursive: true })
  const hash = hashJson(evidence)
  const file = { schema: 1, evidence: evidence as Json, evidenceHash: hash }
  await writeDurably(join(dir, evidenceName), JSON.stringify(file, null, 2) + "\n")
  return { evidence, hash }
}

/** The gates of a run that have put their evidence up for decision. */
export async function gatesOf(runDir: string): Promise<readonly string[]> {
  const dir = join(runDir, "approvals")
  const entries = await readdir(dir, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return []
    throw cause
  })
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
}

/**
 * Reads what a gate put up for decision.
 * @throws APPROVAL-EVIDENCE when it is missing, of another run or gate, or its hash is not the hash of its content
 */
export async function readEvidence(runDir: string, run: string, gate: string): Promise<BoundEvidence> {
  const path = join(gateDir(runDir, gate), evidenceName)
  const broken = (reason: string, cause?: unknown) =>
    fault({
      code: "APPROVAL-EVIDENCE",
      kind: "errored",
      message: `The evidence of gate ${gate} cannot be trusted`,
      reason: `${path}: ${reason}`,
      hint: "Nothing is decided on it. `gantry resume` the run: a gate that still waits writes its evidence anew from the records; else start a new run.",
      cause,
    })
  let hash: string
  let evidence: Evidence
  try {
    const file = EvidenceFile.parse(JSON.parse(await readFile(path, "utf8")))
    hash = file.evidenceHash
    evidence = Evidence.parse(file.evidence)
  } catch (cause) {
    throw broken((cause as Error).message, cause)
  }
  if (hashJson(evidence) !== hash) throw broken("its hash does not match its content")
  if (evidence.run !== run || evidence.gate !== gate)
    throw broken(`it is about ${evidence.gate} of run ${evidence.run}`)
  return { evidence, hash }
}
