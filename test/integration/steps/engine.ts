import { mkdir } from "node:fs/promises"
import { Writable } from "node:stream"
import { join } from "node:path"
import { afterAll, beforeAll } from "vitest"
import type { Report } from "../../../core/reports.js"
import { runArtifacts } from "../../../core/run-artifacts.js"
import { engineConfig, openSession, resolveImage, type Session } from "../../../engine/index.js"
import { followedLog } from "../../../steps/exec-log.js"
import type { SuiteContext } from "../../../steps/tests/suite.js"
import { temporaryFolder, type Repository } from "./repository.js"

export const engine = engineConfig.parse({})

export const resolve = async (image: string) => (await resolveImage(engine, image)).reference

/** One session with the real engine for the tests of a file. */
export function realSession(): () => Session {
  let session: Session | undefined
  beforeAll(async () => {
    const sink = new Writable({ write: (_chunk, _encoding, done) => done() })
    session = await openSession(engine, { logs: followedLog(sink) })
  })
  afterAll(() => session?.close())
  return () => {
    if (session === undefined) throw new Error("the session is opened before the tests")
    return session
  }
}

export interface TestContext extends SuiteContext {
  readonly lines: string[]
  readonly reports: Report[]
}

/** A step's context in a temporary project, with real artifacts. */
export async function stepContext(
  repo: Repository,
  session: Session,
  step: string,
  commit: string,
  signal = new AbortController().signal,
): Promise<TestContext> {
  const run = { ...repo.run(commit), id: `test-${process.pid}-${Math.random().toString(36).slice(2, 8)}` }
  await mkdir(join(run.project, ".gantry", "objects"), { recursive: true })
  await mkdir(run.dir, { recursive: true })
  const lines: string[] = []
  const reports: Report[] = []
  const add = (text: string) => lines.push(...text.replace(/\n$/, "").split("\n"))
  return {
    run,
    step,
    attempt: 1,
    dag: session.dag,
    artifacts: runArtifacts({
      storeRoot: join(run.project, ".gantry"),
      runDir: run.dir,
      step,
      kept: () => undefined,
    }),
    log: { info: add, warn: (text) => add(`warning: ${text}`), write: add },
    scratch: await temporaryFolder(),
    publish: (report) => reports.push(report),
    signal,
    lines,
    reports,
  }
}
