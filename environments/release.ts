import { z } from "zod"
import { hashJson, parseJson, sha256 } from "../core/json.js"

/**
 * What is deployed: an image by digest and the whole configuration it runs with. Plain JSON, kept on every instance and in
 * the history, so that any process can start the same release again. Holds no secret: those belong to the environment.
 */
export const ReleaseSpec = z.object({
  service: z.string(),
  /** host/project/service@sha256:… */
  reference: z.string(),
  digest: z.string(),
  commit: z.string(),
  /** Merged configuration as YAML text: what the instances see as /config/application.yml. */
  config: z.string(),
  /** Hash over the configuration: the text above and everything below. */
  configHash: z.string(),
  /** Variables that the service declares. */
  env: z.record(z.string(), z.string()),
  /** Port that an instance listens on. */
  port: z.number().int(),
  /** Path that answers 200 when an instance may get traffic. */
  readiness: z.string(),
  /** Path at which an instance answers its figures in Prometheus' format. */
  metrics: z.string().optional(),
  /** How long an instance may take to become ready. Seconds. */
  startupSeconds: z.number(),
  /** Services it calls, by name. */
  calls: z.array(z.string()),
  database: z.enum(["mariadb"]).optional(),
  resources: z.object({ memoryMB: z.number().optional(), cpus: z.number().optional() }),
  /** On Kubernetes: what of the environment's settings its pods are made with (kubernetes/settings.ts). */
  pods: z.record(z.string(), z.json()).optional(),
  /** Hash of the objects that the service brings itself, which the place keeps with the release. */
  own: z.string().optional(),
})
export type ReleaseSpec = z.infer<typeof ReleaseSpec>

/** Completes a release by its configuration's hash. The commit is no part of it: the same bytes are the same release. */
export function releaseSpec(fields: Omit<ReleaseSpec, "configHash">): ReleaseSpec {
  const { config, env, port, readiness, metrics, startupSeconds, calls, database, resources, pods, own } = fields
  return {
    ...fields,
    configHash: hashJson({
      config,
      env,
      port,
      readiness,
      metrics,
      startupSeconds,
      calls,
      database,
      resources,
      pods,
      own,
    }),
  }
}

/** Identity of a release in its environment: image and configuration. Twelve hex digits. */
export function releaseKey(release: Pick<ReleaseSpec, "digest" | "configHash">): string {
  return sha256(`${release.digest} ${release.configHash}`).slice(0, 12)
}

/** As people see it: `sha256:0123456789ab with config 4f2a91c0`. */
export function releaseName(release: Pick<ReleaseSpec, "digest" | "configHash">): string {
  return `${release.digest.slice(0, 19)} with config ${release.configHash.slice(0, 8)}`
}

/** A release that was kept as JSON beside what runs of it; undefined when somebody tampered with it, or there is none. */
export function readRelease(text: string | undefined): ReleaseSpec | undefined {
  return ReleaseSpec.safeParse(parseJson(text ?? "")).data
}

/** Of an instance whose labels cannot be read any more: it is another release, whichever, and can be replaced. */
export function unknownRelease(key: string): ReleaseSpec {
  return {
    service: "",
    reference: "",
    digest: "",
    commit: "",
    config: "",
    configHash: key,
    env: {},
    port: 0,
    readiness: "/",
    startupSeconds: 0,
    calls: [],
    resources: {},
  }
}
