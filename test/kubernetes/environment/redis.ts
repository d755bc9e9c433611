import type { EngineContext } from "../../../engine/context.js"
import { make } from "../../lab/kubernetes/images.js"
import type { Recipe } from "../../../engine/supply/recipe.js"
import type { Lab } from "../../lab/kubernetes/index.js"

/** Under which name the lab's node has it, as if it had been pulled. */
export const redisImage = "docker.io/library/redis:8"

/** Redis as the official image has it: user, data folder and port. */
const recipe: Recipe = {
  references: ["lab.local/lab/redis:1"],
  provides: "Redis from Debian's packages",
  expectedSeconds: 10,
  dockerfile: `RUN apt-get update \\
 && apt-get install -y --no-install-recommends redis-server redis-sentinel \\
 && rm -rf /var/lib/apt/lists/* \\
 && mkdir -p /data && chown redis:redis /data
VOLUME /data
WORKDIR /data
EXPOSE 6379
CMD ["redis-server", "--bind", "0.0.0.0", "--protected-mode", "no"]
`,
  check: { command: ["redis-server", "--version"], expect: /Redis server v=\d/ },
}

/** The node has Redis, whatever of it was there before. */
export async function importRedis(lab: Lab, engine: EngineContext): Promise<void> {
  await lab.importImage(await make(engine, recipe), redisImage)
}

const security = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } }
const small = { requests: { cpu: "10m", memory: "16Mi" }, limits: { cpu: "500m", memory: "64Mi" } }

/** A pod's specification that Pod Security's restricted profile takes. */
export const redisPod = (image = redisImage, command?: readonly string[]) => ({
  automountServiceAccountToken: false,
  terminationGracePeriodSeconds: 1,
  securityContext: { runAsNonRoot: true, runAsUser: 10001, fsGroup: 10001, seccompProfile: { type: "RuntimeDefault" } },
  containers: [
    {
      name: "redis",
      image,
      ...(command && { command }),
      ports: [{ containerPort: 6379 }],
      readinessProbe: { exec: { command: ["redis-cli", "ping"] }, periodSeconds: 1 },
      resources: small,
      securityContext: security,
    },
  ],
})

/** Redis in plain manifests: a StatefulSet with a volume, and its Service. JSON is YAML. */
export const redis = (name: string, options: { readonly image?: string; readonly args?: readonly string[] } = {}) => {
  const pod = redisPod(options.image, ["redis-server", "--protected-mode", "no", ...(options.args ?? [])])
  const [container] = pod.containers
  return [
    {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name },
      spec: {
        replicas: 1,
        serviceName: name,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name } },
          spec: { ...pod, containers: [{ ...container, volumeMounts: [{ name: "data", mountPath: "/data" }] }] },
        },
        volumeClaimTemplates: [
          {
            metadata: { name: "data" },
            spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "16Mi" } } },
          },
        ],
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name },
      spec: { selector: { app: name }, ports: [{ port: 6379 }] },
    },
  ]
}
