import { expect } from "vitest"
import { isFault, type Fault } from "../../../../core/errors.js"
import type { Judgement, Verdict } from "../../../../environments/analysis/verdict.js"
import { deployRelease } from "../../../../environments/deployment/deploy.js"
import type { Deployed, DeployOptions } from "../../../../environments/deployment/deployment.js"
import { environment, type EnvironmentInput } from "../../../../environments/environment.js"
import { releaseKey, releaseSpec, type ReleaseSpec } from "../../../../environments/release.js"
import { rollBack } from "../../../../environments/deployment/rollback.js"
import { isServing } from "../../../../environments/strategies/moves.js"
import { fakeTarget, type FakeTarget } from "../../../fakes/target.js"

export const spec = (version: string): ReleaseSpec =>
  releaseSpec({
    service: "web",
    reference: `r/web@sha256:${version}`,
    digest: `sha256:${version}`,
    commit: version,
    config: "",
    env: {},
    port: 1,
    readiness: "/",
    startupSeconds: 1,
    calls: [],
    resources: {},
  })

/** A judged strategy that loses no time: figures are there at once, and nobody is waited for. */
export const quick = {
  minReadySeconds: 0,
  drainSeconds: 0,
  graceSeconds: 0,
  pauseSeconds: 0,
  analysis: { intervalSeconds: 0.01, windowSeconds: 0.01 },
}

export const a = spec("a")
export const b = spec("b")
export const c = spec("c")
const names = { [releaseKey(a)]: "a", [releaseKey(b)]: "b", [releaseKey(c)]: "c" }

export interface World extends FakeTarget {
  readonly lines: string[]
  deploy(release: ReleaseSpec, options?: Partial<DeployOptions>): Promise<Deployed>
  /** The same after somebody changed the environment in gantry.config.ts. */
  deployWith(settings: EnvironmentInput, release: ReleaseSpec, options?: Partial<DeployOptions>): Promise<Deployed>
  /** What runs, e.g. "a:100 a:100 b:0". */
  state(): string
  /** Least number of instances that had traffic and answered, since the last call. */
  least(): number
}

/** An environment of a service, in memory; judged by `verdicts`, the last one for ever. */
export async function openWorld(settings: EnvironmentInput, verdicts: readonly Judgement[] = ["pass"]): Promise<World> {
  let least = Infinity
  const fake = fakeTarget(names, () => {
    least = Math.min(least, fake.instances.filter(isServing).length)
  })
  const lines: string[] = []
  let asked = 0
  const judge = (): Promise<Verdict> => {
    const judgement = verdicts[Math.min(asked++, verdicts.length - 1)] ?? "pass"
    const requests = { canary: 100, baseline: 100 }
    return Promise.resolve({
      judgement,
      at: new Date().toISOString(),
      requests,
      measures: [],
      reason: `judged ${judgement}`,
    })
  }
  const deployWith = (given: EnvironmentInput, release: ReleaseSpec, options: Partial<DeployOptions> = {}) =>
    deployRelease({
      target: fake.target,
      environment: environment("prod", given),
      release,
      signal: new AbortController().signal,
      judge,
      tell: (line) => void lines.push(line),
      keepLog: () => Promise.resolve(),
      ...options,
    })
  return Object.assign(fake, {
    lines,
    deployWith,
    deploy: (release: ReleaseSpec, options: Partial<DeployOptions> = {}) => deployWith(settings, release, options),
    state: () =>
      fake.instances
        .map((i) => `${names[i.key] ?? "?"}:${i.weight}`)
        .sort()
        .join(" "),
    least: () => {
      const was = least
      least = Infinity
      return was
    },
  })
}

/** Deploys, and dies at every order in turn; another process carries on each time. Neither release is ever half there. */
export async function survives(
  open: () => Promise<World>,
  ends: (world: World) => void,
  options: { readonly least: number; readonly mayFail?: RegExp },
): Promise<number> {
  for (let order = 1; ; order++) {
    const world = await open()
    await world.deploy(a)
    world.least()
    world.dieAt(order)
    await world.deploy(b).catch(() => undefined)
    const died = world.takeOver()
    if (died) {
      await world.deploy(b).catch((error: unknown) => {
        expect(String(error), `killed at order ${order}`).toMatch(options.mayFail ?? /never/)
      })
    }
    expect(
      world.least(),
      `instances that serve, killed at order ${order}: ${world.moves.join(", ")}`,
    ).toBeGreaterThanOrEqual(options.least)
    ends(world)
    if (!died) return order - 1
  }
}

/** The fault that the work ends with. */
export async function failure(work: Promise<unknown>): Promise<Fault> {
  const error: unknown = await work.then(
    () => undefined,
    (e: unknown) => e,
  )
  if (!isFault(error)) throw new Error(`no fault: ${String(error)}`)
  return error
}

/** A person takes the environment back to a release. */
export function back(world: World, to: ReleaseSpec, settings: EnvironmentInput): Promise<Deployed> {
  return rollBack({
    target: world.target,
    environment: environment("prod", settings),
    to,
    by: "Lin",
    reason: "orders fail",
    signal: new AbortController().signal,
    tell: (line) => void world.lines.push(line),
    keepLog: () => Promise.resolve(),
  })
}
