import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { packageRoot } from "../../../core/package-root.js"
import type { EngineContext } from "../../../engine/context.js"
import { localImage } from "../../../engine/image/local.js"
import { makeImage } from "../../../engine/supply/make.js"
import type { GoBuild, Recipe } from "../../../engine/supply/recipe.js"
import {
  corednsBuild,
  kubernetesBuild,
  kubernetesVersion,
  metricsServerBuild,
  nodeBuild,
  traefikBuild,
  webBuild,
  type WebVersion,
} from "./builds.js"
import { gatewayImage } from "./gateway.js"

/** A folder or file of the lab. */
export const labFile = (...path: string[]): string => join(packageRoot(), "test", "lab", "kubernetes", ...path)

/**
 * The node: what Debian brings of it. Kubernetes' programs are mounted into it. kubelet and kube-proxy use nft and
 * conntrack, the enforcement of NetworkPolicies iptables and ipset.
 */
export const nodeRecipe: Recipe = {
  references: ["lab.local/lab/node:1"],
  provides: "Kubernetes node of the lab from Debian's packages",
  expectedSeconds: 30,
  dockerfile: `RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \\
      etcd-server etcd-client containerd runc containernetworking-plugins iptables ipset nftables iproute2 conntrack \\
      ethtool socat kmod util-linux mount procps curl tini openssl \\
 && rm -rf /var/lib/apt/lists/*
COPY lab /usr/local/lib/lab
ENTRYPOINT ["tini", "-g", "--", "/usr/local/lib/lab/entry.sh"]
`,
  files: async () => {
    const script = async (name: string) => ({ text: await readFile(labFile("node", name), "utf8"), mode: 0o755 })
    return {
      "lab/entry.sh": await script("entry.sh"),
      "lab/api.sh": await script("api.sh"),
      "lab/certificates.sh": await script("certificates.sh"),
      "lab/configuration.sh": await script("configuration.sh"),
    }
  },
  check: {
    command: ["sh", "-c", "etcd --version; containerd --version; runc --version; ipset --version"],
    expect: /etcd Version: 3[^]*containerd[^]*1\.[^]*runc version[^]*ipset v7/,
  },
}

/** An image that holds one program and nothing else. */
function programImage(options: {
  readonly name: string
  readonly build: GoBuild
  /** Name of the program where the build leaves it, and its place in the image. */
  readonly program: string
  readonly path: string
  readonly user?: string
  readonly check: Recipe["check"]
}): Recipe {
  const { name, build, program, path, user, check } = options
  return {
    references: [`lab.local/lab/${name}`],
    provides: `${build.title} from Go modules, as an image`,
    expectedSeconds: 3,
    dockerfile: `FROM scratch
COPY program ${path}
${user === undefined ? "" : `USER ${user}:${user}\n`}ENTRYPOINT ["${path}"]
`,
    files: async (tools) => ({ program: { path: join(await tools.goBuild(build), program), mode: 0o755 } }),
    check,
  }
}

const nobody = "65532"

/** Images that the node has under these names without a registry. */
export const importedImages: Readonly<Record<string, Recipe>> = {
  "lab.local/pause:1": programImage({
    name: "pause:1",
    build: nodeBuild,
    program: "pause",
    path: "/pause",
    user: "65535",
    check: { command: ["/pause", "-v"], expect: /pause of the lab/ },
  }),
  "lab.local/coredns:1": programImage({
    name: "coredns:1",
    build: corednsBuild,
    program: "coredns",
    path: "/coredns",
    check: { command: ["/coredns", "-version"], expect: /CoreDNS-1\./ },
  }),
  "lab.local/metrics-server:1": programImage({
    name: "metrics-server:1",
    build: metricsServerBuild,
    program: "metrics-server",
    path: "/metrics-server",
    user: nobody,
    check: { command: ["/metrics-server", "--help"], expect: /--metric-resolution/ },
  }),
  [gatewayImage]: programImage({
    name: "traefik:1",
    build: traefikBuild,
    program: "traefik",
    path: "/traefik",
    check: { command: ["/traefik", "version"], expect: /Version:\s+3\.7\.13/ },
  }),
  // The official image's name, path and entry point: scheduled scaling uses that image.
  [`registry.k8s.io/kubectl:${kubernetesVersion}`]: programImage({
    name: `kubectl:${kubernetesVersion}`,
    build: kubernetesBuild,
    program: "kubectl",
    path: "/bin/kubectl",
    check: { command: ["/bin/kubectl", "version", "--client"], expect: /Client Version: v1\.34\.4/ },
  }),
}

export const webRecipe = (version: WebVersion): Recipe =>
  programImage({
    name: `web:${version}`,
    build: webBuild(version),
    program: "web",
    path: "/web",
    user: nobody,
    check: { command: ["/web", "get", "http://127.0.0.1:9/"], expect: /connection refused/ },
  })

/** Makes an image unless the Docker Engine has it; answers the name under which it has it. */
export function make(context: EngineContext, recipe: Recipe): Promise<string> {
  return makeImage(context, recipe, (inner, reference) => localImage(inner, reference).then((image) => image.name))
}
