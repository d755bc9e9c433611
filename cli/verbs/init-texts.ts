export interface Toolchain {
  readonly image: string
  readonly setup?: string
  readonly cache?: { readonly path: string; readonly key: string }
  readonly port: number
}

/** What the folder looks like it is built with. A guess, written where a person corrects it. */
export function guessToolchain(found: {
  readonly node: boolean
  readonly npmLock: boolean
  readonly maven: boolean
  readonly dockerfile: string
}): Toolchain {
  const port = Number(/^\s*EXPOSE\s+(\d+)/im.exec(found.dockerfile)?.[1] ?? 8080)
  if (found.maven) {
    return { image: "maven:3.9-eclipse-temurin-21", cache: { path: "/root/.m2", key: "pom.xml" }, port }
  }
  if (!found.node) return { image: "debian:trixie-slim", port }
  return {
    image: "node:22-trixie-slim",
    setup: found.npmLock ? "npm ci" : "npm install",
    cache: { path: "/root/.npm", key: found.npmLock ? "package-lock.json" : "package.json" },
    port,
  }
}

export const configText = (name: string, service: string) => `import { defineConfig } from "gantry-ci/config"
import first from "./pipelines/first.js"

export default defineConfig({
  project: ${JSON.stringify(name)},
  services: [${JSON.stringify(service)}],
  pipelines: { first },
})
`

export const pipelineText = () => `import { pipeline, step } from "gantry-ci"
import { buildImage, checkout, trivy, type Settings } from "gantry-ci/steps"

/** Each service's image is built and scanned. \`gantry run delivery\` takes it all the way to production. */
export default function first(settings: Settings) {
  const source = checkout(settings)
  const hello = step("hello", {
    needs: { source },
    engine: false,
    run: async ({ needs, log }) => log.info(\`\${needs.source.author.name} delivers \${needs.source.commit.slice(0, 12)}\`),
  })
  const scans = settings.services.map((service) => {
    const image = buildImage(settings, service, { source, after: [hello] })
    return trivy(settings, service, { source, image })
  })
  return pipeline("first", { targets: [hello, ...scans] })
}
`

export const serviceText = (name: string, toolchain: Toolchain) =>
  [
    `name: ${JSON.stringify(name)}`,
    "toolchain:",
    `  image: "${toolchain.image}"`,
    ...(toolchain.setup === undefined ? [] : [`  setup: ${toolchain.setup}`]),
    ...(toolchain.cache === undefined
      ? []
      : ["  caches:", `    - { path: ${toolchain.cache.path}, key: [${toolchain.cache.key}] }`]),
    "build:",
    "  dockerfile: Dockerfile",
    `  port: ${toolchain.port}`,
    "# tests:",
    "#   unit: { run: npm test, junit: [reports/junit.xml], coverage: coverage/lcov.info }",
    "health:",
    "  readiness: /ready",
    "  liveness: /health",
    "",
  ].join("\n")
