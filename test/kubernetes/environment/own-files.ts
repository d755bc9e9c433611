import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"

/** What one release of the test service is to be, in manifests of its own. */
export interface OwnApp {
  readonly name: string
  readonly version: string
  readonly kind?: "Deployment" | "StatefulSet" | "DaemonSet"
  readonly replicas?: number
  readonly env?: Readonly<Record<string, string>>
  readonly image?: string
}

/** A workload of the lab's test service as Pod Security's restricted profile takes it. JSON is YAML. */
export function workload({ name, version, kind = "Deployment", replicas = 2, env = {}, image = "lab/app" }: OwnApp) {
  const fields = { name: "INSTANCE_ID", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }
  const variables = Object.entries({ PORT: "8080", VERSION: version, ...env }).map(([key, value]) => ({
    name: key,
    value,
  }))
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { name },
    spec: {
      ...(kind === "DaemonSet" ? {} : { replicas }),
      ...(kind === "StatefulSet" ? { serviceName: name, podManagementPolicy: "Parallel" } : {}),
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 2,
          securityContext: { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: "RuntimeDefault" } },
          containers: [
            {
              name: "app",
              image,
              env: [...variables, fields],
              readinessProbe: { httpGet: { path: "/ready", port: 8080 }, periodSeconds: 1 },
              resources: { requests: { cpu: "10m", memory: "48Mi" }, limits: { cpu: "1", memory: "256Mi" } },
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
            },
          ],
        },
      },
    },
  }
}

/** A Deployment that runs something else: the lab's image of pods' sandboxes, which every node has. */
export function paused(name: string) {
  const made = workload({ name, version: "", replicas: 1, image: "lab.local/pause:1" })
  const { spec } = made
  const containers = spec.template.spec.containers.map(({ readinessProbe: _, ...rest }) => rest)
  return { ...made, spec: { ...spec, template: { ...spec.template, spec: { ...spec.template.spec, containers } } } }
}

export const nodePort = (name: string) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec: { type: "NodePort", selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] },
})

export const configMap = (name: string, data: Readonly<Record<string, string>> = { a: "b" }) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data,
})

export const yaml = (...objects: readonly object[]) => objects.map((o) => JSON.stringify(o)).join("\n---\n")

/** A project's folder that is there as long as `close` has not been called. */
export async function projectFolder() {
  const root = await mkdtemp(join(tmpdir(), "gantry-own-"))
  return {
    root,
    /** Its files are these and no others. */
    async write(files: Readonly<Record<string, string>>) {
      await rm(root, { recursive: true, force: true })
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(root, path)), { recursive: true })
        await writeFile(join(root, path), text)
      }
    },
    close: () => rm(root, { recursive: true, force: true }),
  }
}
