import { mkdir, readFile } from "node:fs/promises"
import { join, relative } from "node:path"
import { writeDurably } from "../../core/files.js"
import type { Masker } from "../../core/mask.js"
import type { RunRecord, StepRecord } from "../../core/record.js"
import { openArtifact } from "../../core/run-artifacts.js"
import { readLogTails } from "../file.js"
import { renderHtml } from "../html.js"
import { jobCobertura } from "./cobertura.js"
import { jobCodeQuality } from "./code-quality.js"
import { jobContainerScanning } from "./container-scanning.js"
import { jobDotenv } from "./dotenv.js"
import { keptNames, type CiInput, type KeptText } from "./input.js"
import { jobJunit } from "./junit.js"
import { jobSbom } from "./sbom.js"
import { jobSummary } from "./summary.js"

/** Larger ones are not read: no CI system takes a report of that size. Bytes. */
const largest = 64 * 1024 * 1024

export interface CiFilesOptions extends Pick<CiInput, "record" | "job" | "locate" | "folder" | "version"> {
  /** Where they go: `.gantry/ci/<job>`. */
  readonly dir: string
  readonly runDir: string
  /** Ids of the job's own steps. */
  readonly own: ReadonlySet<string>
  readonly masker: Masker
}

/**
 * Writes the files that a CI system picks up from a job. All of them, always: what there is nothing to say about is empty and valid, because a CI system warns about a report
 * that is missing.
 * @throws DISK-FULL, FILE-DENIED
 */
export async function writeCiFiles(options: CiFilesOptions): Promise<void> {
  const { record, runDir, dir, own, masker } = options
  const steps = record.steps.filter((step) => own.has(step.id))
  const kept = (await Promise.all(steps.map((step) => keptTexts(runDir, step)))).flat()
  const mask = (text: string) => masker.text(text)
  const input: CiInput = { ...options, steps, kept, mask }
  // What other jobs have yet to do belongs into no job's files.
  const seen: RunRecord = { ...record, steps: record.steps.filter((s) => s.status !== "pending" || own.has(s.id)) }
  const base = `${relative(dir, runDir)}/`
  const json = (value: unknown) => JSON.stringify(value, null, 2) + "\n"
  const files: Readonly<Record<string, string>> = {
    "run.json": json(seen),
    "report.html": renderHtml(seen, { base, logTails: await readLogTails(runDir, { ...seen, steps }) }),
    "junit.xml": jobJunit(input),
    "cobertura.xml": jobCobertura(input),
    "gl-code-quality.json": json(jobCodeQuality(input)),
    "gl-container-scanning.json": json(jobContainerScanning(input)),
    "bom.cdx.json": json(jobSbom({ ...input, maskJson: (value, keep) => masker.json(value, keep) })),
    "job.env": jobDotenv(input),
    "summary.json": json(jobSummary(input)),
  }
  await mkdir(dir, { recursive: true })
  for (const [name, text] of Object.entries(files)) await writeDurably(join(dir, name), text)
}

/** The kept files that reports are made of. One that is gone or changed is none: it proves nothing. */
async function keptTexts(runDir: string, step: StepRecord): Promise<readonly KeptText[]> {
  const prefix = `artifacts/${step.id}/`
  const texts: KeptText[] = []
  for (const artifact of step.artifacts) {
    const name = artifact.path.startsWith(prefix) ? artifact.path.slice(prefix.length) : artifact.path
    if (artifact.size > largest || !Object.values(keptNames).some((pattern) => pattern.test(name))) continue
    const path = await openArtifact(runDir, artifact).catch(() => undefined)
    const text = path === undefined ? undefined : await readFile(path, "utf8").catch(() => undefined)
    if (text !== undefined) texts.push({ step, name, text })
  }
  return texts
}

/** The record of a job that came to no run: it was refused before, or there was nothing to do. */
export function bareRecord(of: {
  readonly run: string
  readonly pipeline: string
  readonly commit: string
  readonly status: RunRecord["status"]
  readonly error?: RunRecord["error"]
}): RunRecord {
  const at = new Date().toISOString()
  return {
    schema: 1,
    id: of.run,
    pipeline: of.pipeline,
    service: null,
    services: [],
    commit: of.commit,
    dirty: false,
    selection: {},
    facts: {},
    status: of.status,
    startedAt: at,
    finishedAt: at,
    ...(of.error === undefined ? {} : { error: of.error }),
    steps: [],
  }
}
