import type { Writable } from "node:stream"
import type { RunEvent, Stamped } from "../core/events.js"
import { githubDialect, gitlabDialect, type Dialect } from "./ci/dialect.js"
import { headLines, stepTable, whatNowLines } from "./closing.js"
import { createFold } from "./fold.js"
import { plural, shortCommit } from "./format.js"
import { eventLines, ownSteps, type PlainOptions } from "./plain.js"
import { createStyle, glyph } from "./style.js"

export interface JobLogOptions extends PlainOptions {
  readonly host: "gitlab" | "github"
  readonly job: string
  /** Ids of the job's own steps: the closing table is about them. */
  readonly own: ReadonlySet<string>
  /** Bytes of a step's own log that go into the job's. The whole of it is in its file. Default 512 KiB. */
  readonly stepLimit?: number
}

/** A step whose lines stand together. */
interface Block {
  readonly id: string
  readonly at: number
  readonly header: string
  lines: string[]
  bytes: number
  left: number
  /** Milliseconds since 1970; undefined while it runs. */
  end?: number
  after: string[]
}

/** GitLab cuts a job's log at 4 MB by default (`output_limit` of the runner). */
const stepLimit = 512 * 1024
const records = "records"

/**
 * The log of a CI job: one folded section a step, and what became of it in one line behind the section, with the whole error
 * where it went red. Steps that run at the same time stand one after the other: the one that began first is shown as it goes,
 * the others when it has ended.
 */
export function jobLogRenderer(out: Writable, options: JobLogOptions): (event: Stamped<RunEvent>) => void {
  const dialect: Dialect = options.host === "gitlab" ? gitlabDialect : githubDialect
  const style = createStyle(options)
  const fold = createFold(options.record)
  const limit = options.stepLimit ?? stepLimit
  const queue: Block[] = []
  let imported = 0
  const write = (text: string) => void (text !== "" && out.write(text))
  const own = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join("")

  /** Shows what can be shown: all of the first block, and the next ones as blocks end. */
  const advance = () => {
    for (let first = queue[0]; first !== undefined; first = queue[0]) {
      write(first.lines.join(""))
      first.lines = []
      if (first.end === undefined) return
      if (first.left > 0) {
        const log = `.gantry/runs/${fold.state.record?.id ?? ""}/steps/${first.id}/log.txt`
        write(own([`… ${plural(first.left, "line")} more in ${log}`]))
      }
      write((first.header === "" ? "" : dialect.close(first.id, first.end)) + first.after.join(""))
      queue.shift()
    }
  }
  const blockOf = (step: string) => queue.find((block) => block.id === step && block.end === undefined)
  const begin = (step: string, at: string, header: string) => {
    const block: Block = { id: step, at: Date.parse(at), header, lines: [], bytes: 0, left: 0, after: [] }
    if (header !== "") block.lines.push(dialect.open(step, header, block.at))
    queue.push(block)
    return block
  }
  const log = (block: Block, text: string) => {
    const line = `${dialect.line(text)}\n`
    block.bytes += Buffer.byteLength(line)
    if (block.bytes > limit) block.left++
    else block.lines.push(line)
  }
  const endRecords = (at: string) => {
    if (imported === 0) return
    imported = 0
    write(dialect.close(records, Date.parse(at)))
  }

  return (event) => {
    fold.apply(event)
    if (event.type !== "step-imported") endRecords(event.at)
    switch (event.type) {
      case "run-started":
      case "run-resumed": {
        const record = fold.state.record
        if (record === undefined) return
        const services = record.services.length === 0 ? "" : ` of ${record.services.join(", ")}`
        write(
          own([
            `${style.colors.bold(`${record.pipeline} ${style.dot} ${options.job}`)}${services}, commit ${shortCommit(record.commit)}, run ${record.id}${event.type === "run-resumed" ? " goes on" : ""}`,
          ]),
        )
        return
      }
      case "step-imported": {
        const { record } = event
        if (imported++ === 0) write(dialect.open(records, "Records of earlier jobs, verified", Date.parse(event.at)))
        const reason = record.reason === undefined ? "" : `: ${record.reason}`
        write(own([dialect.line(`${glyph(createStyle(), record.status)} ${record.id} ${record.status}${reason}`)]))
        return
      }
      case "step-started":
        if (blockOf(event.step) === undefined) begin(event.step, event.at, style.colors.bold(event.step))
        break
      case "step-logged":
        if (options.logs !== false) log(blockOf(event.step) ?? begin(event.step, event.at, ""), event.line)
        break
      case "step-retried":
      case "step-reported":
      case "effect-started":
      case "artifact-kept": {
        const block = blockOf(event.step) ?? begin(event.step, event.at, "")
        block.lines.push(own(eventLines(event, fold, style).map((line) => guarded(dialect, line))))
        break
      }
      case "step-finished": {
        const block = blockOf(event.step) ?? begin(event.step, event.at, "")
        const [head = "", ...rest] = eventLines(event, fold, style)
        block.after.push(
          own([`${event.step}  ${head}`, ...rest.map((line) => `  ${line}`)].map((l) => guarded(dialect, l))),
        )
        const { error } = event
        if (error !== undefined && dialect.annotate !== undefined && event.status !== "waiting") {
          block.after.push(dialect.annotate(`${event.step} ${event.status}`, `${error.code}: ${error.message}`))
        }
        block.end = Date.parse(event.at)
        break
      }
      case "run-finished": {
        for (const block of queue) block.end ??= Date.parse(event.at)
        advance()
        const record = fold.state.record
        if (record === undefined) return
        const mine = ownSteps(record, options.own)
        const now = Date.parse(event.at)
        const closing = [
          "",
          ...headLines({ ...mine, pipeline: `${mine.pipeline} ${style.dot} ${options.job}` }, style, now),
          "",
          ...stepTable(mine, style, now),
          ...whatNowLines(mine, style, options.html),
        ]
        write(own(closing.map((line) => guarded(dialect, line))))
        return
      }
      default:
        return event satisfies never
    }
    advance()
  }
}

/** Our own lines have colours and are clean already, except for what a CI system takes for a command. */
function guarded(dialect: Dialect, line: string): string {
  return dialect === githubDialect ? line.replace(/^(\s*):(?=:)/, "$1: ").replaceAll("##[", "## [") : line
}
