import { canonicalJson, type Json } from "../../core/json.js"
import { step, type AnyStep, type MaybeStep, type Step } from "../../core/step.js"
import { TestResult, type Deployment, type Source } from "../outputs.js"
import { imageResolver } from "../image-resolver.js"
import type { Service, TestSuite } from "../service.js"
import type { Settings } from "../settings.js"

interface Wiring {
  readonly source: Step<Source>
  readonly after?: readonly AnyStep[]
}

/** Time beside the suite itself: images, setup, collecting. Milliseconds. */
const overhead = 20 * 60_000

/** The service's unit tests in its toolchain image. Undefined when it declares none. */
export function unitTests(settings: Settings, service: Service, wiring: Wiring): Step<TestResult> | undefined {
  return suiteStep(settings, service, "unit-tests", service.tests.unit, wiring)
}

/** The service's integration tests, with the real databases that they declare. Undefined when it declares none. */
export function integrationTests(settings: Settings, service: Service, wiring: Wiring): Step<TestResult> | undefined {
  return suiteStep(settings, service, "integration-tests", service.tests.integration, wiring)
}

function suiteStep(
  settings: Settings,
  service: Service,
  name: string,
  suite: TestSuite | undefined,
  { source, after = [] }: Wiring,
): Step<TestResult> | undefined {
  if (suite === undefined) return undefined
  return step(`${service.name}.${name}`, {
    needs: { source },
    after,
    stage: "tests",
    service: service.name,
    output: TestResult,
    publishes: ["tests"],
    params: parameters(service, suite),
    cache: ({ needs }) => needs.source.services[service.name] ?? needs.source.tree,
    timeout: suite.timeout * 1000 + overhead,
    retry: { attempts: 2 },
    run: async (context) => {
      const { runSuite } = await import("./suite.js")
      return runSuite(context, {
        engine: settings.engine,
        service,
        suite,
        source: context.needs.source,
        resolve: await imageResolver(settings.engine, context),
      })
    },
  })
}

/**
 * The service's black-box tests against an environment, through its load balancer. Undefined when it declares none.
 * @param name Of the step, and what it is to people: "acceptance", "uat-checks".
 */
export function acceptanceTests(
  settings: Settings,
  service: Service,
  name: string,
  wiring: {
    readonly source: Step<Source>
    readonly deployment: MaybeStep<Deployment>
    readonly after?: readonly AnyStep[]
  },
): MaybeStep<TestResult> | undefined {
  const suite = service.tests.acceptance
  if (suite === undefined) return undefined
  const { source, deployment, after = [] } = wiring
  const environment = deployment.definition.environment
  return step(`${service.name}.${name}`, {
    needs: { source, deployment },
    after,
    ...(deployment.when === undefined ? {} : { when: deployment.when }),
    stage: name,
    service: service.name,
    ...(environment === undefined ? {} : { environment }),
    output: TestResult,
    publishes: ["tests"],
    params: parameters(service, suite),
    // They look at something that changes: an old answer says nothing about it.
    cache: false,
    timeout: suite.timeout * 1000 + overhead,
    retry: { attempts: 2 },
    run: async (context) => {
      const { deployment: deployed, source: from } = context.needs
      const [{ runSuite }, { calledServices }, { withEnvironment }] = await Promise.all([
        import("./suite.js"),
        import("./called.js"),
        import("./environment.js"),
      ])
      const called =
        deployed === undefined ? {} : await calledServices(settings, service, deployed.environment, context.signal)
      return runSuite(context, {
        engine: settings.engine,
        service,
        suite,
        source: from,
        resolve: await imageResolver(settings.engine, context),
        prepare: (container, dag) => withEnvironment(container, dag, deployed, from.commit, called),
      })
    },
  })
}

/** What of the declaration a suite depends on. */
function parameters(service: Service, suite: TestSuite): Json {
  const { name, path, inputs, toolchain } = service
  return JSON.parse(canonicalJson({ name, path, inputs, toolchain, suite })) as Json
}
