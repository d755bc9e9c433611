import type { Recipe } from "../supply/recipe.js"

/**
 * Prometheus as the official image has it: paths, user (nobody), command. Debian 13 brings 2.53, the series with long-term
 * support. Debian's own web assets go: the image needs the HTTP API, not the pages.
 */
export const prometheus: Recipe = {
  references: ["docker.io/prom/prometheus:v2.53.3", "docker.io/prom/prometheus:v2.53.5"],
  provides: "Prometheus 2.53 from Debian's packages",
  expectedSeconds: 15,
  dockerfile: `RUN apt-get update \\
 && apt-get install -y --no-install-recommends prometheus \\
 && rm -rf /var/lib/apt/lists/* /etc/prometheus /var/lib/prometheus \\
 && mkdir -p /etc/prometheus /prometheus \\
 && chown 65534:65534 /etc/prometheus /prometheus \\
 && ln -s /usr/bin/prometheus /usr/bin/promtool /usr/local/bin/
USER 65534:65534
WORKDIR /prometheus
EXPOSE 9090
ENTRYPOINT ["/bin/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
`,
  check: { command: ["prometheus", "--version"], expect: /prometheus, version 2\.53/ },
}

export const recipes: readonly Recipe[] = [prometheus]
