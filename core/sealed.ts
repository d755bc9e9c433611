import { createHmac, timingSafeEqual } from "node:crypto"
import { mkdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { z } from "zod"
import { fault, type Fault } from "./errors.js"
import { fileFault, writeDurably } from "./files.js"
import { canonicalJson, sha256 } from "./json.js"
import { StepRecord } from "./record.js"

/**
 * The record of one step as it travels from the process that did the step to one that needs it, through hands that are not
 * trusted: artifacts of a CI system can be replaced by whoever may upload some. The seal is over all the rest. With a key
 * (HMAC) only who has the key can make one; without it (plain SHA-256) it detects damage and proves nothing.
 */
export const SealedRecord = z.object({
  schema: z.literal(1),
  run: z.string(),
  pipeline: z.string(),
  commit: z.string(),
  step: StepRecord,
  seal: z.object({ algorithm: z.enum(["hmac-sha256", "sha256"]), value: z.string().regex(/^[0-9a-f]{64}$/) }),
})
export type SealedRecord = z.infer<typeof SealedRecord>

/** What a record has to be of: the same run, pipeline and commit as the process that reads it. */
export interface RecordOrigin {
  readonly run: string
  readonly pipeline: string
  readonly commit: string
}

/** Name of the variable that holds the key, told in errors. */
export const recordKeyName = "GANTRY_RECORD_KEY"

const file = (runDir: string, step: string) => join(runDir, "steps", step, "sealed.json")

/** Seals a record. @param key undefined: only against damage */
export function sealRecord(origin: RecordOrigin, step: StepRecord, key: string | undefined): SealedRecord {
  const { run, pipeline, commit } = origin
  const content = { schema: 1 as const, run, pipeline, commit, step: JSON.parse(JSON.stringify(step)) as StepRecord }
  const algorithm = key === undefined ? "sha256" : "hmac-sha256"
  return { ...content, seal: { algorithm, value: sealOf(content, key) } }
}

/** Writes `steps/<step>/sealed.json` of a run, durably. @throws DISK-FULL, FILE-DENIED */
export async function writeSealed(
  runDir: string,
  origin: RecordOrigin,
  step: StepRecord,
  key: string | undefined,
): Promise<void> {
  const path = file(runDir, step.id)
  try {
    await mkdir(join(runDir, "steps", step.id), { recursive: true })
    await writeDurably(path, JSON.stringify(sealRecord(origin, step, key), null, 2) + "\n")
  } catch (cause) {
    throw fileFault(cause, path)
  }
}

/**
 * Reads the record that another process left of a step, and verifies it. Undefined when there is none.
 * @param options.demanded only a seal with a key will do
 * @throws RECORD-FORGED, RECORD-UNSEALED
 */
export async function readSealed(
  runDir: string,
  origin: RecordOrigin,
  step: string,
  options: { readonly key: string | undefined; readonly demanded: boolean },
): Promise<StepRecord | undefined> {
  const path = file(runDir, step)
  let text: string
  try {
    text = await readFile(path, "utf8")
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw forged(step, `${path} cannot be read: ${(cause as Error).message}`)
  }
  return verifyRecord(text, origin, step, options)
}

/** The record of a step out of its sealed text. @throws RECORD-FORGED, RECORD-UNSEALED */
export function verifyRecord(
  text: string,
  origin: RecordOrigin,
  step: string,
  options: { readonly key: string | undefined; readonly demanded: boolean },
): StepRecord {
  const raw = parse(step, text)
  const parsed = SealedRecord.safeParse(raw)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw forged(step, `${issue?.path.join(".") || "the whole"}: ${issue?.message ?? "not as expected"}`)
  }
  const { seal, ...record } = parsed.data
  if (seal.algorithm === "sha256" && (options.demanded || options.key !== undefined)) throw unsealed(step, options.key)
  if (seal.algorithm === "hmac-sha256" && options.key === undefined) throw noKey(step)
  // Over what was read, not over what was understood of it: members of a later version are under the seal as well.
  const { seal: _, ...content } = raw as Record<string, unknown>
  const key = seal.algorithm === "sha256" ? undefined : options.key
  if (!timingSafeEqual(Buffer.from(sealOf(content, key)), Buffer.from(seal.value))) {
    throw forged(step, "its seal is not the seal of its content")
  }
  for (const field of ["run", "pipeline", "commit"] as const) {
    if (record[field] !== origin[field]) throw forged(step, `it is of ${field} ${record[field]}, not ${origin[field]}`)
  }
  if (record.step.id !== step) throw forged(step, `it is the record of ${record.step.id}`)
  return record.step
}

/** The first line keeps a seal made for something else from counting here. */
function sealOf(content: object, key: string | undefined): string {
  const text = `gantry step record 1\n${canonicalJson(content)}`
  return key === undefined ? sha256(text) : createHmac("sha256", key).update(text).digest("hex")
}

function parse(step: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw forged(step, `it is not JSON: ${(cause as Error).message}`)
  }
}

function forged(step: string, reason: string): Fault {
  return fault({
    code: "RECORD-FORGED",
    kind: "failed",
    message: `The record of ${step} is not what its job left`,
    reason,
    hint: "It was changed, damaged or put there by somebody. Nothing is run on it: find out where it comes from, then start a new pipeline.",
  })
}

function unsealed(step: string, key: string | undefined): Fault {
  return fault({
    code: "RECORD-UNSEALED",
    kind: "usage",
    message: `The record of ${step} is not sealed, so anybody may have written it`,
    reason: `The job that left it had no ${recordKeyName}${key === undefined ? "" : "; this one has"}. ${whenMissing}`,
    hint: keyHint,
  })
}

function noKey(step: string): Fault {
  return fault({
    code: "RECORD-UNSEALED",
    kind: "usage",
    message: `The seal of the record of ${step} cannot be checked: ${recordKeyName} is missing`,
    reason: whenMissing,
    hint: keyHint,
  })
}

/** The fault of a process that must not do without a key and has none. @param what e.g. "The gate" */
export function keyMissing(what: string): Fault {
  return fault({
    code: "RECORD-UNSEALED",
    kind: "usage",
    message: `${what} wants sealed records, and ${recordKeyName} is missing`,
    reason: `Without it the records of earlier jobs could be anybody's. ${whenMissing}`,
    hint: keyHint,
  })
}

const whenMissing =
  "A protected variable is there only on protected branches and tags, and never for a fork's merge request."
const keyHint = `Set the protected and masked CI variable ${recordKeyName} (openssl rand -hex 32), and protect the branch. Then start a new pipeline.`
