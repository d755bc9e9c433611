import { homedir } from "node:os"
import { join } from "node:path"
import { z } from "zod"

const port = z.number().int().min(1).max(65535)

/** Where containers come from, and which parts of the local stack are replaced by servers of one's own. */
export const engineConfig = z.strictObject({
  /** Everything Gantry keeps outside the work tree: caches, sockets, states. Default $GANTRY_HOME, else ~/.local/share/gantry. */
  home: z.string().min(1).optional(),
  /** Name of the local stack; part of every container's name. A second stack beside the first has another name and other ports. */
  stack: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,30}$/, "lower-case letters, digits and dashes")
    .default("gantry"),
  /** `auto` an image where its registry answers, else packages · `images` never packages · `packages` never a public registry. */
  supply: z.enum(["auto", "images", "packages"]).default("auto"),
  /** Registry or repository prefix → where it is fetched instead: { "docker.io": "harbor.example/dockerhub" }. The longest prefix wins. */
  mirrors: z.record(z.string().min(1), z.string().min(1)).default({}),
  /** PEM bundle of a private certificate authority. Default: the usual variables (NODE_EXTRA_CA_CERTS, SSL_CERT_FILE, …). */
  ca: z.string().min(1).optional(),
  maven: z
    .strictObject({
      /** Maven's settings (mirrors, proxies, servers) for what is made from Maven's packages. Default ~/.m2/settings.xml. */
      settings: z.string().min(1).optional(),
    })
    .default({}),
  docker: z
    .strictObject({
      /** `unix:///path` or `tcp://127.0.0.1:2375`. Default $DOCKER_HOST, else /var/run/docker.sock. */
      host: z.string().min(1).optional(),
    })
    .default({}),
  dagger: z
    .strictObject({
      /** An engine of one's own: `unix://…`, `tcp://…`, `docker-container://…`, `kube-pod://…`. Gantry then keeps none. */
      runnerHost: z.string().min(1).optional(),
    })
    .default({}),
  registry: z
    .strictObject({
      /** A Harbor instead of the stack's own registry as the place that releases are pushed to. */
      harbor: z
        .strictObject({
          url: z.url(),
          project: z.string().min(1),
          username: z.string().min(1).optional(),
          /** Name of the environment variable that holds the password or the robot's secret. */
          passwordEnv: z.string().min(1).optional(),
        })
        .optional(),
    })
    .default({}),
  sonarqube: z
    .strictObject({
      /** A server of one's own. Gantry then starts none. */
      url: z.url().optional(),
      /** Name of the environment variable that holds a token of that server. */
      tokenEnv: z.string().min(1).optional(),
      /** Host name under which steps in containers reach `url`, where it differs. */
      internalUrl: z.url().optional(),
    })
    .default({}),
  ports: z.strictObject({ registry: port.default(5000), sonarqube: port.default(9000) }).default({
    registry: 5000,
    sonarqube: 9000,
  }),
  trivy: z
    .strictObject({
      /** Where Trivy's database comes from, in order; the first that answers serves. */
      dbRepositories: z.array(z.string().min(1)).default([]),
      javaDbRepositories: z.array(z.string().min(1)).default([]),
    })
    .default({ dbRepositories: [], javaDbRepositories: [] }),
})

/** The configuration with its defaults filled in. */
export type EngineConfig = z.output<typeof engineConfig>
/** What a person writes. */
export type EngineConfigInput = z.input<typeof engineConfig>

/** The Gantry home of a configuration, absolute. */
export function homeOf(config: EngineConfig, env: NodeJS.ProcessEnv = process.env): string {
  return config.home ?? env["GANTRY_HOME"] ?? join(homedir(), ".local", "share", "gantry")
}

/** Host and port of the stack's own registry, the same for the host's Docker Engine and for the Dagger engine. */
export function registryAddress(config: EngineConfig): string {
  return `127.0.0.1:${config.ports.registry}`
}
