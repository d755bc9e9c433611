import { readFile, writeFile } from "node:fs/promises"
import { request as httpsRequest } from "node:https"
import { parse, stringify } from "yaml"
import { outside } from "../outside.js"
import type { Rig } from "../rig.js"

/** As far as one is read here. */
interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[]
  readonly users: readonly { readonly name: string; readonly user: { readonly token: string } }[]
}

export interface Agent {
  /** As GitLab names it: path of the project that configures the agent, its name. */
  readonly context: string
  /** What KUBECONFIG names in a job. */
  readonly kubeconfig: string
  /** Requests that came by it. */
  readonly requests: readonly string[]
  close(): void
}

/** Below it GitLab's agent server hands on what the API server is asked. */
const root = "/k8s-proxy"

/**
 * What a job of GitLab CI reaches a cluster by: GitLab's agent server, which knows the job by its token, and the agent in the
 * cluster, which has an account of its own there. https://docs.gitlab.com/user/clusters/agent/ci_cd_workflow/
 * @param kubeconfig with the account's context, which is what the agent may do
 */
export async function gitlabAgent(rig: Rig, kubeconfig: string, context: string, file: string): Promise<Agent> {
  const { clusters, users } = parse(await readFile(kubeconfig, "utf8")) as Kubeconfig
  const cluster = clusters[0]?.cluster ?? {}
  const ca = Buffer.from(cluster["certificate-authority-data"] ?? "", "base64")
  const account = users.find((u) => u.name === context)?.user.token ?? ""
  const job = "ci:7:glcbt-64_a-job-token"
  const requests: string[] = []
  const server = await outside(rig, (asked, response) => {
    const { url = "", method = "GET", headers } = asked
    if (headers.authorization !== `Bearer ${job}` || !url.startsWith(`${root}/`)) {
      response.writeHead(401).end("unauthorized")
      return
    }
    requests.push(`${method} ${url.slice(root.length)}`)
    const { authorization: _, host: __, ...rest } = headers
    const handed = { method, ca, headers: { ...rest, authorization: `Bearer ${account}` } }
    const on = httpsRequest(`${cluster["server"] ?? ""}${url.slice(root.length)}`, handed, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    on.on("error", () => response.destroy())
    asked.pipe(on)
  })
  const name = "shop/clusters:production"
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "gitlab",
        cluster: {
          server: `https://${server.host}:${server.port}${root}/`,
          "certificate-authority-data": server.caBundle,
        },
      },
    ],
    users: [{ name: "agent:7", user: { token: job } }],
    contexts: [{ name, context: { cluster: "gitlab", user: "agent:7" } }],
  }
  await writeFile(file, stringify(config), { mode: 0o600 })
  return { context: name, kubeconfig: file, requests, close: () => server.close() }
}
