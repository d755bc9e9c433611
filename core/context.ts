import { mkdtempSync } from "node:fs"
import { join } from "node:path"
import type { Client } from "@dagger.io/dagger"
import type { StepJob } from "./step-job.js"
import { fault } from "./errors.js"
import { fileFault } from "./files.js"
import { Report } from "./reports.js"
import { runArtifacts } from "./run-artifacts.js"
import type { Secret } from "./secrets.js"
import type { Context, Needs } from "./step.js"
import type { StepLog } from "./step-log.js"
import { scratchPrefix } from "./store.js"

/** A step's context, and the switch that ends it. */
export interface OpenContext {
  readonly context: Context<Needs, string>
  /** From now on whoever still holds the context changes nothing: its step has an outcome already. */
  close(): void
}

/** Makes the contexts of one attempt (for `run`, then for `ensure`), which share a scratch folder. */
export function contextMaker(job: StepJob, attempt: number, log: StepLog) {
  const { step, run, recorder } = job
  let scratch: string | undefined
  const scratchDir = (): string => {
    try {
      return (scratch ??= mkdtempSync(join(run.dir, `${scratchPrefix}${step.id}-`)))
    } catch (cause) {
      throw fileFault(cause, run.dir)
    }
  }
  const open = (client: Client | undefined, signal: AbortSignal): OpenContext => {
    let closed = false
    const whileOpen = () => {
      if (closed) throw over(step.id)
    }
    const artifacts = runArtifacts({
      storeRoot: job.storeRoot,
      runDir: run.dir,
      step: step.id,
      kept(artifact) {
        whileOpen()
        recorder.emit({ type: "artifact-kept", step: step.id, artifact })
      },
    })
    const context: Context<Needs, string> = {
      run,
      step: step.id,
      attempt,
      get dag() {
        if (client !== undefined) return client
        throw noEngine(step.id)
      },
      needs: job.needs as never,
      secrets: Object.fromEntries(step.secrets.map((name) => [name, job.secrets.get(name) as Secret])),
      artifacts,
      log: {
        info: (text) => closed || log.line(text),
        warn: (text) => closed || log.line(`warning: ${text}`),
        write: (chunk) => closed || log.write(chunk),
      },
      get scratch() {
        whileOpen()
        return scratchDir()
      },
      publish(report) {
        whileOpen()
        recorder.emit({ type: "step-reported", step: step.id, report: checkReport(step.id, report) })
      },
      mask: (value) => recorder.mask(value),
      signal,
    }
    return { context, close: () => (closed = true) }
  }
  return { open, scratch: () => scratch }
}

/** A report of another shape would make the whole record unreadable, and pipelines are loaded without a type check. */
function checkReport(step: string, report: Report): Report {
  const parsed = Report.safeParse(report)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw fault({
    code: "STEP-REPORT",
    kind: "errored",
    message: `Step ${step} published something that is not a report`,
    reason: issue === undefined ? parsed.error.message : `${issue.path.join(".") || "(the whole)"}: ${issue.message}`,
    hint: "The kinds of reports and their fields are in docs/pipelines.md.",
  })
}

function noEngine(step: string) {
  return fault({
    code: "STEP-NO-ENGINE",
    kind: "usage",
    message: `Step ${step} uses the Dagger session but says \`engine: false\``,
    hint: "Remove `engine: false` from the step.",
  })
}

function over(step: string) {
  return fault({
    code: "STEP-OVER",
    kind: "cancelled",
    message: `Step ${step} has ended; its context serves no longer`,
    reason: "It went on after it had been told to stop.",
    hint: "Hand `signal` to whatever the step waits for.",
  })
}
