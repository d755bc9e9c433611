import { mkdir, readFile, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { execa } from "execa"
import { parse, stringify } from "yaml"
import { kubeCluster, type Cluster } from "../clients/kubernetes/index.js"
import { packageRoot } from "../core/package-root.js"
import { accountName, environmentObjects } from "../environments/kubernetes/rbac.js"
import { namespaceOf } from "../environments/kubernetes/names.js"
import type { Environment } from "../environments/index.js"

/** The admin's way into a cluster. */
export interface Admin {
  readonly kubeconfig: string
  readonly context: string
}

/** Brings up the cluster of test/lab/kubernetes, which is part of the repository and not of the package. GANTRY_LAB names it. */
export async function labCluster(signal: AbortSignal): Promise<Admin> {
  const args = ["--import", "jiti/register", "test/lab/kubernetes/main.ts", "up"]
  const { stdout } = await execa(process.execPath, args, {
    cwd: packageRoot(),
    stdin: "ignore",
    stderr: "inherit",
    cancelSignal: signal,
  })
  return JSON.parse(stdout) as Admin
}

interface KubeconfigFile {
  readonly contexts: readonly { readonly name: string; readonly context: { readonly cluster: string } }[]
  readonly clusters: readonly { readonly name: string; readonly cluster: object }[]
}

/** How long the accounts' tokens hold. Seconds. */
const tokenSeconds = 24 * 3600

/**
 * Makes for each environment what `gantry env rbac` prints, and writes a kubeconfig with a context for each, named like its
 * namespace, which can do there what Gantry's account can, and nowhere else anything.
 */
export async function openAccounts(
  admin: Admin,
  project: string,
  environments: readonly Environment[],
  file: string,
): Promise<void> {
  const cluster = kubeCluster(admin)
  const { contexts, clusters } = parse(await readFile(admin.kubeconfig, "utf8")) as KubeconfigFile
  const own = contexts.find((c) => c.name === admin.context)?.context.cluster
  const server = clusters.find((c) => c.name === own)
  if (server === undefined) throw new Error(`${admin.kubeconfig} does not know the cluster of ${admin.context}`)
  const opened = await Promise.all(
    environments.map(async (environment) => {
      const namespace = namespaceOf(project, environment)
      const { name, profile } = environment
      const account = { project, environment: name, profile, namespace, prometheus: "prometheus" }
      // In its order: the namespace first.
      for (const object of environmentObjects(account)) await cluster.apply(object)
      return { namespace, token: await tokenOf(cluster, namespace) }
    }),
  )
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [server],
    users: opened.map(({ namespace, token }) => ({ name: namespace, user: { token } })),
    contexts: opened.map(({ namespace }) => ({
      name: namespace,
      context: { cluster: server.name, user: namespace, namespace },
    })),
  }
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, stringify(config), { mode: 0o600 })
}

/** https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/ */
async function tokenOf(cluster: Cluster, namespace: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${accountName}/token`
  const request = {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { expirationSeconds: tokenSeconds },
  }
  const body = { text: JSON.stringify(request), type: "application/json" }
  const { text } = await cluster.raw(
    "POST",
    path,
    { verb: "create", resource: "serviceaccounts/token", namespace, context: cluster.context },
    body,
  )
  return (JSON.parse(text) as { readonly status: { readonly token: string } }).status.token
}

/** Where the demo keeps its kubeconfig. */
export const demoKubeconfig = (root: string) => join(root, ".gantry", "demo", "kubeconfig")
