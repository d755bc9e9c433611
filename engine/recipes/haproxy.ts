import type { Recipe } from "../supply/recipe.js"

/** What the official image's entrypoint does: options alone mean haproxy, which then runs as master and worker in the foreground. */
const entrypoint = `#!/bin/sh
set -e
if [ "\${1#-}" != "$1" ]; then set -- haproxy "$@"; fi
if [ "$1" = haproxy ]; then shift; set -- haproxy -W -db "$@"; fi
exec "$@"
`

/** HAProxy as the official image has it: the same user, paths, signals and command. Debian 13 brings the 3.0 series. */
export const haproxy: Recipe = {
  references: ["docker.io/library/haproxy:3.0"],
  provides: "HAProxy 3.0 from Debian's packages",
  expectedSeconds: 15,
  dockerfile: `RUN apt-get update \\
 && apt-get install -y --no-install-recommends haproxy \\
 && rm -rf /var/lib/apt/lists/* /etc/haproxy \\
 && mkdir -p /usr/local/etc/haproxy \\
 && ln -s /usr/sbin/haproxy /usr/local/sbin/haproxy
COPY docker-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
STOPSIGNAL SIGUSR1
USER haproxy
WORKDIR /var/lib/haproxy
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]
`,
  files: () => Promise.resolve({ "docker-entrypoint.sh": { text: entrypoint, mode: 0o755 } }),
  check: {
    command: ["sh", "-c", "haproxy -v && haproxy -vv | grep -o 'prometheus-exporter' | head -1"],
    expect: /HAProxy version 3\.0[^]*prometheus-exporter/,
  },
}

export const recipes: readonly Recipe[] = [haproxy]
