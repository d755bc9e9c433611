import { randomBytes } from "node:crypto"
import { request } from "undici"
import { stringify } from "yaml"
import type { Lab } from "../lab/kubernetes/index.js"

/** A namespace of a test, and what is applied in it. */
export interface Space {
  readonly name: string
  /** Applies objects; those without a namespace go into this one. */
  apply(...objects: readonly object[]): Promise<void>
  /** kubectl in the namespace. */
  kubectl(...args: readonly string[]): Promise<string>
  /** Removes the namespace with everything in it. */
  remove(): Promise<void>
}

/** Makes a namespace of its own for a test. */
export async function space(lab: Lab, labels: Readonly<Record<string, string>> = {}): Promise<Space> {
  const name = `test-${randomBytes(4).toString("hex")}`
  const document = (objects: readonly object[]) => objects.map((object) => stringify(object)).join("---\n")
  const kubectl = (...args: readonly string[]) => lab.kubectl(["-n", name, ...args])
  await lab.kubectl(["apply", "-f", "-"], {
    input: document([{ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } }]),
  })
  return {
    name,
    kubectl,
    apply: async (...objects) => {
      await lab.kubectl(["-n", name, "apply", "-f", "-"], { input: document(objects) })
    },
    remove: async () => {
      // At once, so that nobody finds their ports taken: the namespace itself takes its time.
      await kubectl("delete", "service,gateway,httproute,ingress", "--all", "--wait=false")
      await lab.kubectl(["delete", "namespace", name, "--wait=false"])
    },
  }
}

/** A Deployment of the lab's test service, as Pod Security "restricted" wants it, and its Service on port 80. */
export function web(name: string, image: string, options: WebOptions = {}): readonly object[] {
  const labels = { app: name }
  return [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name },
      spec: {
        replicas: options.replicas ?? 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            terminationGracePeriodSeconds: 1,
            securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
            containers: [
              {
                name: "web",
                image,
                env: [{ name: "DRAIN", value: "0s" }],
                readinessProbe: { httpGet: { path: "/ready", port: 8080 }, periodSeconds: 1 },
                securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
                ...(options.claim === undefined ? {} : { volumeMounts: [{ name: "data", mountPath: "/data" }] }),
              },
            ],
            ...(options.claim === undefined
              ? {}
              : { volumes: [{ name: "data", persistentVolumeClaim: { claimName: options.claim } }] }),
          },
        },
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name },
      spec: {
        ...(options.nodePort === true ? { type: "NodePort" } : {}),
        selector: labels,
        ports: [{ port: 80, targetPort: 8080 }],
      },
    },
  ]
}

export interface WebOptions {
  readonly replicas?: number
  /** Reachable from the host, see `nodePortOf`. */
  readonly nodePort?: boolean
  /** A PersistentVolumeClaim, mounted as /data. */
  readonly claim?: string
}

/** Address of a Service on the host: its NodePort, which the cluster chose. */
export async function nodePortOf(inner: Space, service: string): Promise<string> {
  return `http://127.0.0.1:${await inner.kubectl("get", "service", service, "-o", "jsonpath={.spec.ports[0].nodePort}")}/`
}

/** What an address on the host answers, asked for `host`; the error's code where it does not. */
export async function answer(url: string, host?: string): Promise<string> {
  try {
    const headers = host === undefined ? {} : { host }
    const { statusCode, body } = await request(url, { headers, headersTimeout: 3000, bodyTimeout: 3000 })
    return `${statusCode} ${(await body.text()).trim()}`
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code ?? message
  }
}
