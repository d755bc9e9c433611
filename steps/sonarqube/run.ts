import type { Context, Step } from "../../core/step.js"
import type { EngineConfig } from "../../engine/index.js"
import { logProgress } from "../log-progress.js"
import type { QualityGate, Source, TestResult } from "../outputs.js"
import type { Service } from "../service.js"
import { sourceDir } from "../source.js"
import { analyse } from "./analyse.js"
import { scannerInContainer } from "./scanner.js"
import { reachServer } from "./server.js"

type SonarqubeNeeds = { readonly source: Step<Source>; readonly tests: readonly Step<TestResult>[] }

/** Analyses a service on the server that the configuration names. */
export async function runSonarqube(
  context: Context<SonarqubeNeeds, string>,
  engine: EngineConfig,
  service: Service,
  projectKey: string,
): Promise<QualityGate> {
  const { source, tests: results } = context.needs
  const { tokenEnv } = engine.sonarqube
  const token = tokenEnv === undefined ? undefined : context.secrets[tokenEnv]?.plaintext()
  const progress = logProgress(context.log)
  const server = await reachServer(engine, token, context.signal, progress)
  const scanner = await scannerInContainer(context.dag, {
    progress,
    engine,
    server,
    write: (chunk) => context.log.write(chunk),
    signal: context.signal,
  })
  return analyse(context, server, scanner, {
    service,
    source,
    folder: await sourceDir(context.run, source),
    tests: results,
    projectKey,
    now: new Date(),
  })
}
