import type { Recipe } from "../supply/recipe.js"

/** The OCI registry (CNCF distribution). Debian's own configuration demands a password file, so it gets one of its own. */
const config = `version: 0.1
log: { level: info, accesslog: { disabled: true } }
storage:
  filesystem: { rootdirectory: /var/lib/registry }
  delete: { enabled: true }
http: { addr: ":5000" }
`

export const recipes: readonly Recipe[] = [
  {
    references: ["docker.io/library/registry:2", "docker.io/library/registry:2.8.3"],
    provides: "OCI registry from Debian's packages",
    expectedSeconds: 12,
    dockerfile: `RUN apt-get update && apt-get install -y --no-install-recommends docker-registry \\
 && rm -rf /var/lib/apt/lists/*
COPY config.yml /etc/docker/registry/config.yml
VOLUME ["/var/lib/registry"]
EXPOSE 5000
ENTRYPOINT ["docker-registry"]
CMD ["serve", "/etc/docker/registry/config.yml"]
`,
    files: () => Promise.resolve({ "config.yml": { text: config } }),
    check: { command: ["docker-registry", "--version"], expect: /docker-registry .*2\./ },
  },
]
