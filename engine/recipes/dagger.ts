import { daggerVersion, engineReference } from "../dagger-version.js"
import type { GoBuild, Recipe } from "../supply/recipe.js"

const command = (name: string): string => `github.com/dagger/dagger/cmd/${name}`
const version = "github.com/dagger/dagger/engine"

/** Engine and CLI of Dagger from Go modules. `engine/modules/dagger` pins every one of them. */
export const daggerBuild: GoBuild = {
  title: `the Dagger engine v${daggerVersion}`,
  module: "engine/modules/dagger",
  packages: ["dagger", "engine", "init", "dnsname", "dialstdio"].map(command),
  tags: ["dfexcludepatterns", "dfparents"],
  ldflags: `-s -w -X ${version}.Version=v${daggerVersion} -X ${version}.Tag=v${daggerVersion}`,
  // On 2 cores, beside Trivy's build; alone about half of it.
  expectedSeconds: 560,
}

/** The CLI alone, for hosts where the engine comes from an image and the SDK cannot download its CLI. */
export const daggerCliBuild: GoBuild = {
  ...daggerBuild,
  title: `the Dagger CLI v${daggerVersion}`,
  packages: [command("dagger")],
  expectedSeconds: 120,
}

export const recipes: readonly Recipe[] = [
  {
    references: [engineReference],
    provides: `Dagger engine v${daggerVersion} from Go modules and Debian's packages`,
    expectedSeconds: 30,
    dockerfile: `RUN apt-get update && apt-get install -y --no-install-recommends \\
      runc containernetworking-plugins dnsmasq-base iptables tini git openssh-client ripgrep \\
 && rm -rf /var/lib/apt/lists/* \\
 && mkdir -p /opt/cni/bin /etc/dagger /var/lib/dagger /run/dagger \\
 && cp /usr/lib/cni/bridge /usr/lib/cni/loopback /usr/lib/cni/firewall /usr/lib/cni/host-local /opt/cni/bin/ \\
 && ln -s /usr/sbin/runc /usr/local/bin/runc \\
 && ln -s /usr/sbin/xtables-legacy-multi /usr/bin/xtables-legacy-multi \\
 && ln -s /usr/sbin/xtables-nft-multi /usr/bin/xtables-nft-multi
COPY dagger /usr/local/bin/dagger
COPY engine /usr/local/bin/dagger-engine
COPY init /usr/local/bin/dagger-init
COPY dnsname /opt/cni/bin/dnsname
COPY dialstdio /usr/bin/dial-stdio
COPY entrypoint.sh /usr/local/bin/dagger-entrypoint.sh
RUN ln -s dial-stdio /usr/bin/buildctl
VOLUME ["/var/lib/dagger"]
ENTRYPOINT ["tini", "--", "dagger-entrypoint.sh"]
`,
    files: async (tools) => {
      const folder = await tools.goBuild(daggerBuild)
      const binary = (name: string) => ({ path: `${folder}/${name}`, mode: 0o755 })
      return {
        dagger: binary("dagger"),
        engine: binary("engine"),
        init: binary("init"),
        dnsname: binary("dnsname"),
        dialstdio: binary("dialstdio"),
        "entrypoint.sh": { text: entrypoint, mode: 0o755 },
      }
    },
    check: {
      command: ["sh", "-c", "dagger-engine --version; dagger version; runc --version; ls /opt/cni/bin"],
      expect: new RegExp(
        `v${daggerVersion.replaceAll(".", "\\.")}[^]*v${daggerVersion.replaceAll(".", "\\.")}[^]*runc version[^]*bridge`,
      ),
    },
  },
]

/** As the official image's: on cgroup v2 the processes leave the root group, so that the engine may enable controllers. */
const entrypoint = `#!/bin/sh
set -eu
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  mkdir -p /sys/fs/cgroup/init
  xargs -rn1 < /sys/fs/cgroup/cgroup.procs > /sys/fs/cgroup/init/cgroup.procs || :
  sed -e 's/ / +/g' -e 's/^/+/' < /sys/fs/cgroup/cgroup.controllers > /sys/fs/cgroup/cgroup.subtree_control || :
fi
exec dagger-engine --config /etc/dagger/engine.toml "$@"
`
