import type { GoBuild } from "../../../engine/supply/recipe.js"

/** Version of the lab's Kubernetes; `modules/kubernetes` pins every module of it. */
export const kubernetesVersion = "v1.34.4"

const folder = (name: string): string => `test/lab/kubernetes/modules/${name}`
const variable = (name: string, value: string): string => `-X ${name}=${value}`

/** The node's own programs. kubectl is used on the host, too. */
export const kubernetesBuild: GoBuild = {
  title: `Kubernetes ${kubernetesVersion}`,
  module: folder("kubernetes"),
  packages: ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl"].map(
    (name) => `k8s.io/kubernetes/cmd/${name}`,
  ),
  ldflags: [
    "-s -w",
    variable("k8s.io/component-base/version.gitVersion", kubernetesVersion),
    variable("k8s.io/component-base/version.gitMajor", "1"),
    variable("k8s.io/component-base/version.gitMinor", "34"),
    variable("k8s.io/client-go/pkg/version.gitVersion", kubernetesVersion),
  ].join(" "),
  expectedSeconds: 400,
}

export const corednsBuild: GoBuild = {
  title: "CoreDNS",
  module: folder("coredns"),
  packages: ["."],
  ldflags: "-s -w",
  expectedSeconds: 100,
}

export const metricsServerBuild: GoBuild = {
  title: "metrics-server",
  module: folder("metrics-server"),
  packages: ["sigs.k8s.io/metrics-server/cmd/metrics-server"],
  ldflags: "-s -w",
  expectedSeconds: 180,
}

/** The Gateway API's controller, and the API's definitions in the folder `crds` beside it. */
export const traefikBuild: GoBuild = {
  title: "Traefik v3.7.13",
  module: folder("traefik"),
  packages: ["./cmd/traefik"],
  ldflags: `-s -w ${variable("github.com/traefik/traefik/v3/pkg/version.Version", "3.7.13")}`,
  prepare: { script: "prepare.sh", folder: "/tmp/traefik" },
  expectedSeconds: 240,
}

/** Programs of the lab: the pods' first process, NetworkPolicies, volumes. */
export const nodeBuild: GoBuild = {
  title: "the lab's own programs",
  module: folder("node"),
  packages: ["./pause", "./policies", "./volumes"],
  ldflags: "-s -w",
  expectedSeconds: 60,
}

/** Versions of the test image that there are. */
export const webVersions = ["v1", "v2", "v3"] as const
export type WebVersion = (typeof webVersions)[number]

export const webBuild = (version: WebVersion): GoBuild => ({
  title: `the lab's test service ${version}`,
  module: folder("web"),
  packages: ["."],
  ldflags: `-s -w ${variable("main.version", version)}`,
  expectedSeconds: 10,
})
