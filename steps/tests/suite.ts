import type { Client, Container } from "@dagger.io/dagger"
import type { Context } from "../../core/step.js"
import type { EngineConfig } from "../../engine/index.js"
import { runScript } from "../container.js"
import type { Source, TestResult } from "../outputs.js"
import type { Service, TestSuite } from "../service.js"
import { sourceDir } from "../source.js"
import { collect } from "./collect.js"
import { mariadbImage, withServices } from "./database.js"
import { toolchainContainer, withSetup, workdir } from "./toolchain.js"
import { report, verdict } from "./verdict.js"

/** What the kernel needs of a step's context. */
export type SuiteContext = Pick<
  Context<Record<never, never>, never>,
  "run" | "step" | "attempt" | "dag" | "artifacts" | "log" | "scratch" | "publish" | "signal"
>

export interface SuiteOptions {
  readonly engine: EngineConfig
  readonly service: Service
  readonly suite: TestSuite
  readonly source: Source
  /** Finds a reference by digest for a public image name. */
  resolve(image: string): Promise<string>
  /** What this kind of suite adds: bindings, variables. */
  prepare?(container: Container, dag: Client): Container
}

/**
 * Runs a suite in the service's toolchain image and publishes what it reports, green or red.
 * @throws TESTS-RED, TESTS-NONE, TESTS-EXIT, TESTS-NO-REPORT (failed); TESTS-SETUP, TESTS-TIMEOUT, TESTS-NETWORK,
 * TESTS-REPORT-BROKEN, EXEC-KILLED (errored); TESTS-COMMAND (usage)
 */
export async function runSuite(context: SuiteContext, options: SuiteOptions): Promise<TestResult> {
  const { dag, log, signal, run, step } = context
  const { service, suite } = options
  const write = (chunk: string) => log.write(chunk)
  const services = suite.services ?? {}
  const [folder, image, database] = await Promise.all([
    sourceDir(run, options.source),
    options.resolve(service.toolchain.image),
    Object.keys(services).length === 0 ? "" : options.resolve(mariadbImage),
  ])
  const base = await toolchainContainer(dag, service, { engine: options.engine, folder, image })
  const ready = await withSetup(base, service, write, signal)

  // A red or killed run must not be answered from the engine's cache the next time; Gantry itself caches green ones.
  const instance = `${run.id}.${step}.${context.attempt}`
  let container = withServices(ready, dag, services, database, instance)
  if (options.prepare !== undefined) container = options.prepare(container, dag)
  for (const [name, value] of Object.entries(suite.env ?? {})) container = container.withEnvVariable(name, value)
  container = container.withEnvVariable("GANTRY_RUN", instance)
  log.info(`$ ${suite.run}`)
  const script = { marker: step, command: suite.run, timeout: suite.timeout }
  const ran = await runScript(container, script, write, signal)

  const collected = await collect(ran.container, workdir(service), suite, context)
  const whole = {
    suite: step,
    exitCode: ran.exitCode,
    output: ran.output,
    timeout: suite.timeout,
    globs: suite.junit,
    run: run.id,
    ...collected,
  }
  const published = report(whole)
  if (collected.files.length > 0) context.publish(published)
  for (const c of collected.cases.filter((c) => c.flaky)) log.warn(`${c.name} passed only when it was tried again`)
  const problem = verdict(whole)
  if (problem !== undefined) throw problem
  if (suite.coverage !== undefined && collected.coverage.length === 0) {
    log.warn(`no coverage: ${suite.coverage} is missing or neither LCOV nor JaCoCo XML`)
  }
  const { total, passed, failed, skipped, seconds, coverage } = published
  return {
    suite: step,
    total,
    passed,
    failed,
    skipped,
    seconds,
    ...(coverage === undefined ? {} : { coverage }),
    junit: [...collected.junit],
    coverageReports: [...collected.coverageReports],
    ...(collected.kept === undefined ? {} : { kept: collected.kept }),
  }
}
