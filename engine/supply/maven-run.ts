import type { EngineContext } from "../context.js"
import { removeContainer, runContainer, type ContainerRan } from "../docker/run.js"
import { lastLines } from "../exec.js"
import { mavenHost } from "./maven-host.js"

export interface MavenRun {
  /** Image on the Docker Engine that has `mvn`. */
  readonly image: string
  /** Host folder that is the local repository. */
  readonly repository: string
  /** Goals and properties. */
  readonly arguments: readonly string[]
  readonly onLine: (line: string) => void
}

/**
 * Runs Maven without a project in a container, as the user who runs Gantry and with that user's Maven settings.
 * Answers whatever the exit code. Errors: CONFIG-MAVEN.
 */
export async function runMaven(context: EngineContext, run: MavenRun): Promise<ContainerRan> {
  const host = await mavenHost(context)
  const name = `${context.config.stack}-maven`
  // One whose client was killed may still run there.
  await removeContainer(context.docker, name)
  return runContainer(context.docker, {
    image: run.image,
    name,
    entrypoint: ["mvn"],
    command: [
      "--batch-mode",
      // What was not found yesterday may be there today.
      "--update-snapshots",
      ...host.arguments,
      "-Dmaven.repo.local=/repository",
      "-Daether.connector.connectTimeout=10000",
      // Silence, not the whole transfer. Maven's own default is half an hour.
      "-Daether.connector.requestTimeout=60000",
      ...run.arguments,
    ],
    // The user has no entry in the image's passwd, and Java would take "?" for the home.
    env: { HOME: "/tmp", MAVEN_OPTS: ["-Duser.home=/tmp", ...host.jvm].join(" "), ...host.env },
    binds: [`${run.repository}:/repository`, ...host.binds],
    // What is kept in the home belongs to whom the home belongs to.
    user: `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`,
    workdir: "/tmp",
    // The settings were written for this host: a mirror or proxy on its loopback is meant to be the host's.
    network: "host",
    signal: context.signal,
    onLine: run.onLine,
  })
}

/** What Maven says went wrong, without its advice on how to run Maven. */
export function mavenWords(output: string): string {
  const said = output
    .split(/\r?\n/)
    .filter((line) => /^\[(ERROR|FATAL)\]/.test(line))
    .map((line) => line.replace(/^\[\w+\]\s*/, "").replace(/\s*-> \[Help \d+\]$/, ""))
    .filter(
      (line) => !/^(|To see the full stack trace.*|Re-run Maven.*|For more information.*|\[Help \d+\].*)$/.test(line),
    )
  return said.length > 0 ? said.slice(0, 15).join("\n") : lastLines(output)
}

/** Whether asking again is of no use: refused, not there, not trusted, no such host. */
export function isPermanent(words: string): boolean {
  return (
    !/could not transfer|transfer failed|Couldn't download/i.test(words) ||
    /could not find artifact|was not found|not authorized|Unauthorized|Forbidden|status code: 4\d\d|Blocked mirror|PKIX|UnknownHost|Unknown host|Name or service not known|offline mode/i.test(
      words,
    )
  )
}
