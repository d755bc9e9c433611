import { readFile, readdir } from "node:fs/promises"
import type { Kubectl } from "./kubectl.js"
import { gatewayClass, gatewayContent, gatewayNamespace } from "./gateway.js"
import { labFile } from "./images.js"
import type { LabPorts } from "./ports.js"

/** What runs in the cluster from the start, as one YAML stream. */
export async function clusterContent(): Promise<string> {
  const names = (await readdir(labFile("manifests"))).filter((name) => name.endsWith(".yaml")).sort()
  return (await Promise.all(names.map((name) => readFile(labFile("manifests", name), "utf8")))).join("\n---\n")
}

/** How long what the cluster has from the start may take to run, beside other work. Seconds. */
const patience = 300
const slow = { timeoutMs: (patience + 30) * 1000 }

/** Applies the content and waits until it answers. `definitions`: folder with those of the Gateway API. */
export async function applyContent(
  kubectl: Kubectl,
  ports: LabPorts,
  definitions: string,
  tell: (text: string) => void,
): Promise<void> {
  tell("applying what the cluster has from the start")
  await Promise.all([
    kubectl(["apply", "--server-side", "-f", "-"], { input: await clusterContent() }),
    kubectl(["apply", "--server-side", "-f", definitions]),
  ])
  await kubectl(["wait", "--for=condition=Established", "crd", "--all", `--timeout=${patience}s`], slow)
  await kubectl(["apply", "--server-side", "-f", "-"], { input: gatewayContent(ports) })
  tell("waiting for DNS, the gateway and the metrics API")
  const rolledOut = (namespace: string, name: string) =>
    kubectl(["-n", namespace, "rollout", "status", `deployment/${name}`, `--timeout=${patience}s`], slow)
  await Promise.all([
    rolledOut("kube-system", "coredns"),
    rolledOut(gatewayNamespace, "traefik"),
    kubectl(["wait", "--for=condition=Accepted", `gatewayclass/${gatewayClass}`, `--timeout=${patience}s`], slow),
    kubectl(["wait", "--for=condition=Available", "apiservice/v1beta1.metrics.k8s.io", `--timeout=${patience}s`], slow),
  ])
}
