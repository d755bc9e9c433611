import { fault } from "../core/errors.js"
import { pipeline, type Pipeline } from "../core/pipeline.js"
import type { MaybeStep } from "../core/step.js"
import { checkout } from "../steps/checkout/index.js"
import { codeReview } from "../steps/code-review/index.js"
import { deploy, rollout } from "../steps/deploy/index.js"
import { gate } from "../steps/gate/index.js"
import { buildImage } from "../steps/image/index.js"
import type { Deployment } from "../steps/outputs.js"
import { push } from "../steps/push/index.js"
import type { Service } from "../steps/service.js"
import type { Settings } from "../steps/settings.js"
import { sonarqube } from "../steps/sonarqube/index.js"
import { acceptanceTests, integrationTests, unitTests } from "../steps/tests/index.js"
import { trivy } from "../steps/trivy/index.js"
import { inCallOrder } from "./order.js"

/**
 * A commit travels to production:
 *
 *     checkout → code review → SonarQube, unit and integration tests → image build → Trivy → Harbor
 *              → TEST → acceptance tests → UAT → UAT checks → manual gate → PROD
 *
 * Every service takes the same way; one gate decides about all of them; a service is deployed after those it calls.
 * @throws DELIVERY-NO-SERVICE, SERVICE-CYCLE, ENVIRONMENT-UNKNOWN
 */
export function delivery(settings: Settings): Pipeline {
  if (settings.services.length === 0) throw nothingToDeliver()
  const source = checkout(settings)
  const review = codeReview(settings, { source })
  const ways: Way[] = []

  for (const service of inCallOrder(settings.services)) {
    const called = ways.filter((way) => service.calls.includes(way.service.name))

    const unit = unitTests(settings, service, { source, after: [review] })
    const integration = integrationTests(settings, service, { source, after: [review] })
    const quality = sonarqube(settings, service, { source, unit, integration })
    const image = buildImage(settings, service, { source, after: [review] })
    const scan = trivy(settings, service, { source, image })
    const release = push(settings, service, {
      source,
      image,
      after: present<MaybeStep<unknown>>(scan, quality, unit, integration),
    })

    const test = deploy(settings, service, "test", { source, release, after: called.map((way) => way.test) })
    const acceptance = acceptanceTests(settings, service, "acceptance", { source, deployment: test })
    const uat = deploy(settings, service, "uat", {
      source,
      release,
      after: [...present(acceptance), ...called.map((way) => way.uat)],
    })
    const checks = acceptanceTests(settings, service, "uat-checks", { source, deployment: uat })
    ways.push({ service, unit, integration, quality, image, scan, release, test, acceptance, uat, checks })
  }

  const approval = gate(settings, "prod", {
    source,
    images: ways.map((way) => way.image),
    scans: ways.map((way) => way.scan),
    releases: ways.map((way) => way.release),
    deployments: ways.flatMap((way) => [way.test, way.uat]),
    tests: ways.flatMap((way) => present(way.unit, way.integration, way.acceptance, way.checks)),
    quality: ways.flatMap((way) => present(way.quality)),
  })

  const prod = new Map<string, MaybeStep<Deployment>>()
  for (const { service, release } of ways) {
    const called = service.calls.flatMap((name) => prod.get(name) ?? [])
    prod.set(service.name, rollout(settings, service, "prod", { source, release, approval, after: called }))
  }
  return pipeline("delivery", {
    description: "a commit to production",
    targets: [...prod.values()],
    // The archive is large: what makes, scans and pushes it shares a job in CI, and it never leaves that.
    jobs: Object.fromEntries(ways.map((way) => [`${way.service.name}.package`, [way.image, way.scan, way.release]])),
  })
}

function nothingToDeliver() {
  return fault({
    code: "DELIVERY-NO-SERVICE",
    kind: "usage",
    message: "There is no service to deliver",
    reason: "`services` of gantry.config.ts is empty.",
    hint: "`gantry init <folder with a Dockerfile>` makes a service of a folder; name the folder in `services`.",
  })
}

/** The steps of one service up to the gate. */
interface Way {
  readonly service: Service
  readonly unit: ReturnType<typeof unitTests>
  readonly integration: ReturnType<typeof integrationTests>
  readonly quality: ReturnType<typeof sonarqube>
  readonly image: ReturnType<typeof buildImage>
  readonly scan: ReturnType<typeof trivy>
  readonly release: ReturnType<typeof push>
  readonly test: MaybeStep<Deployment>
  readonly acceptance: ReturnType<typeof acceptanceTests>
  readonly uat: MaybeStep<Deployment>
  readonly checks: ReturnType<typeof acceptanceTests>
}

/** A service that declares no such tests has no such step. */
function present<S extends MaybeStep<unknown>>(...steps: readonly (S | undefined)[]): S[] {
  return steps.filter((s) => s !== undefined)
}
