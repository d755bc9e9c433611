import { randomBytes } from "node:crypto"
import { isFault, type Fault } from "../../core/errors.js"
import { engineConfig, registryAddress } from "../../engine/config.js"
import { engineContext, type EngineContext } from "../../engine/context.js"
import { localImage } from "../../engine/image/local.js"
import { resolveImage } from "../../engine/index.js"
import { deployRelease } from "../../environments/deployment/deploy.js"
import type { Deployed, DeployOptions } from "../../environments/deployment/deployment.js"
import { environment, type Environment, type EnvironmentInput } from "../../environments/environment.js"
import { readHistory } from "../../environments/history.js"
import type { OwnObjects } from "../../environments/kubernetes/own/rendered.js"
import { kubernetesTarget } from "../../environments/kubernetes/target.js"
import { podTuning } from "../../environments/kubernetes/settings.js"
import { renderTools } from "../../environments/kubernetes/render.js"
import type { Project } from "../../environments/places.js"
import { releaseSpec, type ReleaseSpec } from "../../environments/release.js"
import { chooseRelease, rollBack } from "../../environments/deployment/rollback.js"
import { readRefusals } from "../../environments/strategies/state.js"
import type { Target } from "../../environments/target.js"
import { pushApp } from "../integration/environments/app.js"
import { ensureLab, type Lab } from "../lab/kubernetes/index.js"

/** An environment of its own in the lab's cluster, and a service in it that does as its variables say. */
export interface Rig {
  readonly lab: Lab
  readonly engine: EngineContext
  readonly project: Project
  readonly namespace: string
  readonly lines: string[]
  readonly logs: Map<string, string>
  /** Each tag another digest. */
  image(tag: string): Promise<{ readonly reference: string; readonly digest: string }>
  release(image: { readonly reference: string; readonly digest: string }, over?: Partial<ReleaseSpec>): ReleaseSpec
  /** The environment as it would be with another input. */
  environment(input: EnvironmentInput): Environment
  /** An environment's input with the cluster, the namespace and small resources. */
  complete(input: EnvironmentInput): EnvironmentInput
  /** @param signal of a run, as a step hands it on */
  target(service?: string, input?: EnvironmentInput, own?: OwnObjects, signal?: AbortSignal): Promise<Target>
  /** What the service says to a user. */
  version(): Promise<string | undefined>
  deploy(release: ReleaseSpec, options?: RigOptions): Promise<Deployed>
  rollBack(service?: string, input?: EnvironmentInput): Promise<Deployed>
  /** The fault that the work ends with; without one what was told is shown. */
  failure(work: Promise<unknown>): Promise<Fault>
  close(): Promise<void>
}
export interface RigOptions extends Pick<Partial<DeployOptions>, "signal" | "approved" | "judge"> {
  readonly input?: EnvironmentInput
  /** What the service brings itself. */
  readonly own?: OwnObjects
}

/** Small enough for many on one node. */
const resources = { requests: { cpu: "10m", memory: "48Mi" }, limits: { cpu: "1", memory: "256Mi" } }

/** @param input of the environment; its `kubernetes` says how the service is reached, the rig says which cluster */
export async function openRig(input: EnvironmentInput = {}): Promise<Rig> {
  const lab = await ensureLab()
  const namespace = `t${randomBytes(3).toString("hex")}`
  const config = engineConfig.parse({})
  const engine = engineContext(config)
  const complete = (given: EnvironmentInput): EnvironmentInput => ({
    ...given,
    target: "kubernetes",
    kubernetes: {
      kubeconfig: lab.kubeconfig,
      context: lab.context,
      namespace,
      expose: { kind: "nodePort" },
      ...given.kubernetes,
      defaults: { resources, ...given.kubernetes?.defaults },
    },
  })
  const of = (given: EnvironmentInput) => environment("test", complete(given))
  const project: Project = {
    project: "shop",
    engine: config,
    services: [{ name: "web" }, { name: "other" }],
    environments: { test: of(input) },
  }
  await lab.kubectl(["create", "namespace", namespace])
  await lab.kubectl([
    "label",
    "namespace",
    namespace,
    "pod-security.kubernetes.io/enforce=restricted",
    "gantry.dev/lab=test",
  ])
  const tools = renderTools(config)
  const lines: string[] = []
  const logs = new Map<string, string>()
  const tell = (line: string) => void lines.push(line)
  const target = (service = "web", given = input, own?: OwnObjects, signal?: AbortSignal) =>
    kubernetesTarget({
      engine: { ...engine, signal },
      signal,
      project,
      environment: of(given),
      service,
      own,
      tools,
      tell,
      image: async (reference) => (await resolveImage(config, reference)).reference,
    })
  const keepLog = (file: string, text: string) => {
    logs.set(file, text)
    return Promise.resolve()
  }
  return {
    lab,
    engine,
    project,
    namespace,
    lines,
    logs,
    environment: of,
    complete,
    target,
    version: async () => (await (await fetch((await target()).url)).text()).split(" ")[0],
    async image(what) {
      const repository = `${registryAddress(config)}/lab/app`
      const base = (await localImage(engine, "docker.io/library/node:22-trixie-slim")).name
      const digest = await pushApp(engine.docker, { base, repository, what, tag: `${what}-${namespace}` })
      return { reference: `${repository}@${digest}`, digest }
    },
    release: ({ reference, digest }, over = {}) =>
      releaseSpec({
        service: "web",
        reference,
        digest,
        commit: "c0ffee",
        config: "{}\n",
        env: { VERSION: "v1" },
        port: 8080,
        readiness: "/ready",
        startupSeconds: 30,
        calls: [],
        resources: {},
        pods: podTuning(of(input).kubernetes, "web"),
        ...over,
      }),
    async deploy(release, { input: given = input, own, signal, approved, judge } = {}) {
      return deployRelease({
        target: await target(release.service, given, own, signal),
        environment: of(given),
        release,
        approved,
        signal: signal ?? new AbortController().signal,
        tell,
        keepLog,
        ...(judge === undefined ? {} : { judge }),
      })
    },
    async rollBack(service = "web", given = input) {
      const on = await target(service, given)
      const [history, refusals] = [await readHistory(on.notes), await readRefusals(on.notes)]
      return rollBack({
        target: on,
        environment: of(given),
        to: chooseRelease({ service, environment: "test" }, history, refusals).release,
        by: "Lin",
        reason: "a test",
        signal: new AbortController().signal,
        tell,
        keepLog,
      })
    },
    async failure(work) {
      const error: unknown = await work.then(
        () => undefined,
        (e: unknown) => e,
      )
      if (!isFault(error)) throw new Error(`no fault: ${String(error)}\n${lines.join("\n")}`)
      return error
    },
    async close() {
      await lab.kubectl(["delete", "namespace", namespace, "--wait=true"])
    },
  }
}
