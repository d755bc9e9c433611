import { fault } from "../core/errors.js"
import { pipeline, type Pipeline } from "../core/pipeline.js"
import type { AnyStep, MaybeStep } from "../core/step.js"
import { checkout } from "../steps/checkout/index.js"
import { codeReview } from "../steps/code-review/index.js"
import { dependencies } from "../steps/dependencies/index.js"
import { deploy, rollout } from "../steps/deploy/index.js"
import { gate } from "../steps/gate/index.js"
import { buildImage } from "../steps/image/index.js"
import { migrate } from "../steps/migrate/index.js"
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
 * Every service takes the same way; one gate decides about all of them; a service is deployed after those it calls, its
 * database is migrated before, and what an environment's services depend on is brought before that.
 * @throws DELIVERY-NO-SERVICE, SERVICE-CYCLE, ENVIRONMENT-UNKNOWN
 */
export function delivery(settings: Settings): Pipeline {
  if (settings.services.length === 0) throw nothingToDeliver()
  const source = checkout(settings)
  const review = codeReview(settings, { source })
  const jobs: Record<string, readonly AnyStep[]> = {}

  const built = inCallOrder(settings.services).map((service) => {
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
    Object.assign(jobs, shared(service, "package", image, scan, release))
    return { service, unit, integration, quality, image, scan, release }
  })

  // What the services of an environment share changes when all of them are through with the stage before.
  const neededInTest = dependencies(settings, "test", { source, after: built.map((way) => way.release) })
  const inTest = new Map<string, MaybeStep<Deployment>>()
  const tested = built.map((way) => {
    const { service, release } = way
    const migrateTest = migrate(settings, service, "test", { source, release, after: present(neededInTest) })
    const test = deploy(settings, service, "test", {
      source,
      release,
      after: present<MaybeStep<unknown>>(neededInTest, migrateTest, ...calledBy(service, inTest)),
    })
    inTest.set(service.name, test)
    const acceptance = acceptanceTests(settings, service, "acceptance", { source, deployment: test })
    Object.assign(jobs, shared(service, "deploy-test", migrateTest, test))
    return { ...way, migrateTest, test, acceptance }
  })

  const neededInUat = dependencies(settings, "uat", {
    source,
    after: tested.flatMap((way) => present<MaybeStep<unknown>>(way.acceptance, way.test)),
  })
  const inUat = new Map<string, MaybeStep<Deployment>>()
  const ways = tested.map((way) => {
    const { service, release, acceptance, test, migrateTest } = way
    const through = present<MaybeStep<unknown>>(neededInUat, acceptance, test)
    const migrateUat = migrate(settings, service, "uat", { source, release, after: through })
    const uat = deploy(settings, service, "uat", {
      source,
      release,
      after: present<MaybeStep<unknown>>(migrateUat, ...through, ...calledBy(service, inUat)),
    })
    inUat.set(service.name, uat)
    const checks = acceptanceTests(settings, service, "uat-checks", { source, deployment: uat })
    Object.assign(jobs, shared(service, "deploy-uat", migrateUat, uat))
    return { ...way, uat, checks, migrations: present(migrateTest, migrateUat) }
  })

  const approval = gate(settings, "prod", {
    source,
    images: ways.map((way) => way.image),
    scans: ways.map((way) => way.scan),
    releases: ways.map((way) => way.release),
    migrations: ways.flatMap((way) => way.migrations),
    deployments: ways.flatMap((way) => [way.test, way.uat]),
    tests: ways.flatMap((way) => present(way.unit, way.integration, way.acceptance, way.checks)),
    quality: ways.flatMap((way) => present(way.quality)),
  })

  const neededInProd = dependencies(settings, "prod", { source, approval })
  const prod = new Map<string, MaybeStep<Deployment>>()
  for (const { service, release } of ways) {
    const after = present(neededInProd)
    const migrateProd = migrate(settings, service, "prod", { source, release, approval, after })
    const rolled = rollout(settings, service, "prod", {
      source,
      release,
      approval,
      after: present<MaybeStep<unknown>>(neededInProd, migrateProd, ...calledBy(service, prod)),
    })
    prod.set(service.name, rolled)
    Object.assign(jobs, shared(service, "rollout-prod", migrateProd, rolled))
  }
  return pipeline("delivery", {
    description: "a commit to production",
    targets: [...prod.values()],
    jobs,
  })
}

/**
 * Steps that share a job in CI. What makes, scans and pushes an archive: it is large, and never leaves the job. A migration
 * and its deployment: nothing comes between them.
 */
function shared(service: Service, job: string, ...steps: readonly (AnyStep | undefined)[]) {
  return { [`${service.name}.${job}`]: present(...steps) }
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

/** Deployments of the services that one calls: they are there before it. */
const calledBy = ({ calls }: Service, deployed: ReadonlyMap<string, MaybeStep<Deployment>>) =>
  calls.flatMap((name) => deployed.get(name) ?? [])

/** A service that declares no such tests, an environment without dependencies, has no such step. */
function present<S extends MaybeStep<unknown>>(...steps: readonly (S | undefined)[]): S[] {
  return steps.filter((s) => s !== undefined)
}
