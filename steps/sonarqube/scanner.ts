import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Client, Container } from "@dagger.io/dagger"
import { fault } from "../../core/errors.js"
import type { Progress } from "../../core/progress.js"
import { resolveImage, scannerReference, withHostCa, type EngineConfig } from "../../engine/index.js"
import { abortable, lastLines, quote, runScript, serviceFiles } from "../container.js"
import type { Service } from "../service.js"
import { closingRelay } from "./relay.js"
import type { Prepared } from "./reports.js"
import type { Server } from "./server.js"

/** What is analysed. */
export interface Analysis {
  readonly service: Service
  /** Absolute folder of the delivered tree. */
  readonly folder: string
  /** Reports on the host, made fit for the scanner. */
  readonly reports: Prepared
  readonly properties: Readonly<Record<string, string>>
  readonly token: string
  /** Unique to this attempt: an analysis is never answered from the engine's cache. */
  readonly instance: string
  readonly scratch: string
}

/** SonarScanner, as the step uses it. Answers report-task.txt. @throws SONAR-SCANNER */
export interface Scanner {
  scan(analysis: Analysis): Promise<string>
}

const root = "/src"
const outputs = "/gantry-sonar"
/** Seconds. */
const timeout = 1200

/** SonarScanner in a Dagger container; its cache of plugins and its Node.js runtime stay in a volume. */
export async function scannerInContainer(
  dag: Client,
  options: {
    readonly engine: EngineConfig
    readonly server: Server
    readonly write: (chunk: string) => void
    readonly signal: AbortSignal
    readonly progress?: Progress | undefined
  },
): Promise<Scanner> {
  const { engine, server, write, signal } = options
  const image = await resolveImage(engine, scannerReference, { signal, progress: options.progress })
  return {
    async scan(analysis) {
      const { service, reports } = analysis
      const base = service.path === "." ? root : `${root}/${service.path}`
      const settings = join(analysis.scratch, "sonar")
      await mkdir(settings, { recursive: true })
      await writeFile(
        join(settings, "scan.properties"),
        propertiesFile({ ...analysis.properties, ...reports.properties }),
      )

      let container = withHostCa(dag.container().from(image.reference), dag, engine)
        .withoutEntrypoint()
        // The volume belongs to root, whatever user the image has.
        .withUser("root")
        .withMountedCache("/var/cache/sonar", dag.cacheVolume("gantry-sonar-scanner"))
        .withEnvVariable("SONAR_USER_HOME", "/var/cache/sonar")
        .withDirectory(root, serviceFiles(dag, analysis.folder, service))
        .withDirectory(reportsFolder, dag.host().directory(reports.folder, { noCache: true }))
        .withDirectory("/gantry-settings", dag.host().directory(settings, { noCache: true }))
        .withWorkdir(base)
        .withSecretVariable("SONAR_TOKEN", dag.setSecret(`sonar-${analysis.instance}`, analysis.token))
        .withEnvVariable("GANTRY_RUN", analysis.instance)
      const way = await wayTo(server)
      container = way.through(container, dag)
      for (const tar of reports.kept) {
        container = container
          .withMountedFile("/tmp/kept.tar", dag.host().file(tar))
          .withExec(["tar", "-xf", "/tmp/kept.tar"])
      }
      const command = `mkdir -p ${outputs} && exec sonar-scanner ${[
        "-Dproject.settings=/gantry-settings/scan.properties",
        `-Dsonar.working.directory=/tmp/scannerwork`,
        `-Dsonar.scanner.metadataFilePath=${outputs}/report-task.txt`,
        "-Dsonar.scanner.skipJreProvisioning=true",
      ]
        .map(quote)
        .join(" ")}`
      const ran = await runScript(container, { marker: analysis.instance, command, timeout }, write, signal).finally(
        way.close,
      )
      if (ran.exitCode !== 0) throw scannerFault(service.name, ran.exitCode, ran.output)
      const target = join(analysis.scratch, "report-task.txt")
      await abortable(ran.container.file(`${outputs}/report-task.txt`).export(target), signal)
      return readFile(target, "utf8")
    },
  }
}

/** Where reports lie in the scanner's container. */
export const reportsFolder = "/gantry-reports"

interface Way {
  through(container: Container, dag: Client): Container
  close(): void
}

/** How the container reaches the server. This host's loopback is reached through the session. */
async function wayTo(server: Server): Promise<Way> {
  const url = new URL(server.internalUrl ?? server.url)
  if (server.internalUrl !== undefined || !["127.0.0.1", "localhost", "[::1]"].includes(url.hostname)) {
    const address = url.href.replace(/\/$/, "")
    return { through: (container) => container.withEnvVariable("SONAR_HOST_URL", address), close: () => undefined }
  }
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80))
  const path = url.pathname.replace(/\/$/, "")
  // What is encrypted goes straight through: nobody on the way can say that a connection ends.
  const relay = url.protocol === "http:" ? await closingRelay(url) : undefined
  return {
    through: (container, dag) =>
      container
        .withServiceBinding("sonarqube", dag.host().service([{ frontend: port, backend: relay?.port ?? port }]))
        .withEnvVariable("SONAR_HOST_URL", `${url.protocol}//sonarqube:${port}${path}`),
    close: () => relay?.close(),
  }
}

/** Java's properties format: backslashes and line ends are escaped, anything beyond ASCII is written as \uXXXX. */
export function propertiesFile(properties: Readonly<Record<string, string>>): string {
  const escape = (text: string) =>
    text
      .replaceAll("\\", "\\\\")
      .replaceAll("\n", "\\n")
      .replaceAll("\r", "\\r")
      .replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)
  const key = (text: string) => escape(text).replace(/[ :=#!]/g, "\\$&")
  return Object.entries(properties)
    .map(([name, value]) => `${key(name)}=${escape(value).replace(/^ /, "\\ ")}\n`)
    .join("")
}

function scannerFault(service: string, exitCode: number, output: string) {
  const errors = output.split("\n").filter((line) => /^[\d:.]*\s*ERROR (?!\[stderr\] Picked up)/.test(line))
  return fault({
    code: "SONAR-SCANNER",
    kind: "errored",
    message:
      exitCode === 124
        ? `SonarScanner has not finished with ${service} in ${timeout} s`
        : `SonarScanner could not analyse ${service} (exit code ${exitCode}): the code has not been judged`,
    reason: errors.length > 0 ? errors.slice(0, 8).join("\n") : lastLines(output, 10),
    hint: "The step's log has the scanner's own words. Properties come from `sonar` in gantry.service.yaml.",
  })
}
