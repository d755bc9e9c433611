import { canonicalJson, type Json } from "../../core/json.js"
import { step, type AnyStep, type Step } from "../../core/step.js"
import { QualityGate, type Source, type TestResult } from "../outputs.js"
import type { Service } from "../service.js"
import type { Settings } from "../settings.js"

/**
 * Has SonarQube judge a service, with the coverage and the results of its tests. An effect: it changes the project on
 * the server. Doing it again is harmless, the same tree leads to the same measures. Undefined when the service has no
 * `sonar` in its declaration.
 */
export function sonarqube(
  settings: Settings,
  service: Service,
  wiring: {
    readonly source: Step<Source>
    readonly unit?: Step<TestResult> | undefined
    readonly integration?: Step<TestResult> | undefined
    readonly after?: readonly AnyStep[]
  },
): Step<QualityGate> | undefined {
  if (service.sonar === undefined) return undefined
  const projectKey = `${settings.project}:${service.name}`
  const tests = [wiring.unit, wiring.integration].filter((test) => test !== undefined)
  const { tokenEnv } = settings.engine.sonarqube
  return step(`${service.name}.sonarqube`, {
    stage: "quality",
    service: service.name,
    needs: { source: wiring.source, tests },
    ...(wiring.after === undefined ? {} : { after: wiring.after }),
    secrets: tokenEnv === undefined ? [] : [tokenEnv],
    output: QualityGate,
    publishes: ["quality-gate"],
    params: {
      project: projectKey,
      path: service.path,
      sonar: JSON.parse(canonicalJson(service.sonar)) as Json,
      server: settings.engine.sonarqube.url,
    },
    effect: {
      key: ({ needs }) => `sonarqube:${projectKey}:${needs.source.tree}`,
      retry: { attempts: 2 },
      reconcile: "repeat",
    },
    timeout: 40 * 60_000,
    run: async (context) => (await import("./run.js")).runSonarqube(context, settings.engine, service, projectKey),
  })
}
