import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { Client, Container } from "@dagger.io/dagger"
import { fault, isFault, type Fault } from "../../core/errors.js"
import { hashJson } from "../../core/json.js"
import { subsetFolder, withHostCa, type EngineConfig, type ResolvedImage } from "../../engine/index.js"
import { abortable, execErrorOf, lastLines } from "../container.js"
import { parseMetadata, parseSubset, type Database } from "./database.js"
import type { ScanPolicy } from "./policy.js"
import { databaseRepositories, hostAlias, type Repositories } from "./repositories.js"

/** What a scan left: absolute paths of its files, and the manifest digests that the scanned archive names. */
export interface ScanFiles {
  readonly json: string
  readonly sarif: string
  readonly table: string
  readonly sbom: string
  readonly digests: readonly string[]
}

/** Trivy, as the step uses it. */
export interface Trivy {
  /** Fetches the database where that is due. @throws TRIVY-DB-UNREACHABLE, TRIVY-DB */
  database(): Promise<Database>
  /** Scans an OCI archive. Everything else than a complete report is an error. @throws TRIVY-SCAN */
  scan(archive: string, out: string, database: Database): Promise<ScanFiles>
}

export interface TrivyOptions {
  /** Trivy's image by digest, and where it came from: one from packages has the subset beside it. */
  readonly image: Pick<ResolvedImage, "reference" | "source">
  readonly engine: EngineConfig
  readonly policy: ScanPolicy
  /** What the report calls the image: the service's name. */
  readonly name: string
  readonly attempt: number
  readonly signal: AbortSignal
  readonly warn: (text: string) => void
  readonly now: Date
}

/** Nothing but what is said here is asked of the network, and nothing is reported to anybody. */
const quiet = ["--skip-version-check", "--disable-telemetry", "--no-progress"]
const cacheDir = "/var/cache/trivy"

/**
 * Asks one registry after the other: given a list, Trivy itself stops at a name that does not resolve or a database that
 * is not there. Arguments after the script are its "$@": no quoting, whatever they hold. This host's loopback speaks http.
 */
const fetchDatabase = `fetch() { trivy image --download-db-only --cache-dir ${cacheDir} ${quiet.join(" ")} "$@" >&2; }
if [ $# = 0 ]; then fetch || exit 1; cat ${cacheDir}/db/metadata.json; exit; fi
for repository in "$@"; do
  case $repository in ${hostAlias}:*) insecure=--insecure ;; *) insecure= ;; esac
  if fetch $insecure --db-repository "$repository"; then cat ${cacheDir}/db/metadata.json; exit; fi
done
exit 1`
/** `convert` reads the one JSON report: nothing is scanned twice. Trivy reads OCI layouts as folders, not as archives. */
const scanArchive = `name=$1; cache=$2; shift 2
mkdir -p /scan/"$name" /out && cd /scan
tar -xf /in/image.tar -C "$name"
cp "$name"/index.json /out/
trivy image --input "$name" --cache-dir "$cache" --format json --output /out/report.json "$@"
trivy convert --quiet --cache-dir "$cache" --format sarif --output /out/report.sarif /out/report.json
trivy convert --quiet --cache-dir "$cache" --format table --output /out/report.txt /out/report.json
trivy convert --quiet --cache-dir "$cache" --format cyclonedx --output /out/sbom.cdx.json /out/report.json`

/** Trivy in a Dagger container. What the engine has scanned already, with the same database, it answers from its cache. */
export function trivyInContainer(dag: Client, options: TrivyOptions): Trivy {
  const { engine, image, policy, signal } = options
  const base = withHostCa(dag.container().from(image.reference), dag, engine).withoutEntrypoint()
  const repositories = databaseRepositories(engine)
  const hasSubset = image.source === "packages"

  return {
    async database() {
      if (hasSubset && repositories.names.length === 0) {
        const full = engine.supply === "packages" ? undefined : await publicDatabase(base, dag, repositories, options)
        if (full !== undefined) return full
        return parseSubset(
          await run(() => base.withExec(["cat", `${subsetFolder}/subset.json`]).stdout(), databaseFault, signal),
        )
      }
      const fetched = withDatabase(base, dag, repositories)
        // Trivy asks its registry again when the next edition is due; here it is asked to think about it once an hour.
        .withEnvVariable("GANTRY_HOUR", `${options.now.toISOString().slice(0, 13)} attempt ${options.attempt}`)
        .withExec(["sh", "-c", fetchDatabase, "sh", ...repositories.database])
      return parseMetadata(await run(() => fetched.stdout(), unreachable(repositories.names), signal))
    },

    async scan(archive, out, database) {
      const own = database.subset !== undefined
      const cache = own ? subsetFolder : cacheDir
      const scanned = (own ? base : withDatabase(base, dag, repositories))
        // The database lies outside of what the engine hashes: named here, another edition is another scan.
        .withEnvVariable("GANTRY_DATABASE", database.updatedAt.toISOString())
        .withMountedFile("/in/image.tar", dag.host().file(archive))
        .withExec([
          "sh",
          "-ec",
          scanArchive,
          "sh",
          options.name,
          cache,
          ...scanFlags(policy, own ? undefined : repositories),
        ])
      await run(() => scanned.directory("/out").export(out), scanFault, signal)
      return {
        json: join(out, "report.json"),
        sarif: join(out, "report.sarif"),
        table: join(out, "report.txt"),
        sbom: join(out, "sbom.cdx.json"),
        digests: digestsOf(await readFile(join(out, "index.json"), "utf8")),
      }
    },
  }
}

/**
 * The databases are kept in a volume, one for each list of registries: what came from one must not answer for another.
 * One scan after another uses it, since Trivy's database file can be opened by one process only.
 */
function withDatabase(base: Container, dag: Client, { database, java, ports }: Repositories): Container {
  const volume = dag.cacheVolume(`gantry-trivy-db-${hashJson({ database, java }).slice(0, 16)}`)
  // The SDK's enum is not imported: loading the SDK takes half a second.
  const mounted = base.withMountedCache(cacheDir, volume, { sharing: "LOCKED" as never })
  if (ports.length === 0) return mounted
  const host = dag.host().service(ports.map((port) => ({ frontend: port, backend: port })))
  return mounted.withServiceBinding(hostAlias, host)
}

/** The flags of a scan. @param repositories undefined: the image's own subset, which has an index of Java archives beside it */
export function scanFlags(policy: ScanPolicy, repositories: Repositories | undefined): string[] {
  return [
    ...quiet,
    "--scanners",
    policy.scanners.join(","),
    ...(policy.scanners.includes("misconfig") ? ["--image-config-scanners", "misconfig"] : []),
    "--list-all-pkgs",
    "--skip-db-update",
    // The checks that are built in: those of the day are fetched from a registry that may be out of reach.
    "--skip-check-update",
    ...(repositories === undefined
      ? ["--skip-java-db-update", "--offline-scan"]
      : repositories.java.flatMap((repository) => ["--java-db-repository", repository])),
    ...(repositories?.java.some((repository) => repository.startsWith(`${hostAlias}:`)) === true ? ["--insecure"] : []),
    "--cache-backend",
    "memory",
    "--timeout",
    "15m",
  ]
}

/** Where packages may be supplemented by what answers: the public database, if its registry does within seconds. */
async function publicDatabase(
  base: Container,
  dag: Client,
  repositories: Repositories,
  options: TrivyOptions,
): Promise<Database | undefined> {
  const tried = withDatabase(base, dag, repositories)
    .withEnvVariable("GANTRY_HOUR", options.now.toISOString().slice(0, 13))
    .withExec(["timeout", "60", "sh", "-c", fetchDatabase, "sh"], { expect: "ANY" as never })
  const [code, text] = await run(() => Promise.all([tried.exitCode(), tried.stdout()]), databaseFault, options.signal)
  if (code === 0) return parseMetadata(text)
  options.warn("the public vulnerability database is out of reach (asked once an hour)")
  return undefined
}

/** Runs something of the engine's; a tool that said no becomes the fault that `explain` makes of it. */
async function run<T>(
  work: () => Promise<T>,
  explain: (said: string, cause: unknown) => Fault,
  signal: AbortSignal,
): Promise<T> {
  try {
    return await abortable(work(), signal)
  } catch (error) {
    const said = isFault(error) ? undefined : execErrorOf(error)
    if (said === undefined) throw error
    throw explain(`exit code ${said.exitCode}\n${lastLines(`${said.stdout}\n${said.stderr}`, 8)}`, error)
  }
}

function unreachable(names: readonly string[]) {
  return (said: string, cause: unknown): Fault =>
    fault({
      code: "TRIVY-DB-UNREACHABLE",
      kind: "errored",
      message: "Trivy's vulnerability database cannot be fetched: the image counts as not scanned",
      reason: `Asked: ${names.length === 0 ? "the public ones" : names.join(", ")}.\n${said}`,
      hint: 'Mirror it into your registry (oras cp ghcr.io/aquasecurity/trivy-db:2 …) and name it: trivy: { dbRepositories: ["harbor.example/trivy/trivy-db:2"] }',
      cause,
    })
}

function databaseFault(said: string, cause: unknown): Fault {
  return fault({
    code: "TRIVY-DB",
    kind: "errored",
    message: "Trivy's vulnerability database cannot be used",
    reason: said,
    hint: "`gantry doctor` shows where Trivy came from.",
    cause,
  })
}

function scanFault(said: string, cause: unknown): Fault {
  return fault({
    code: "TRIVY-SCAN",
    kind: "errored",
    message: "Trivy could not scan the image: it counts as not scanned",
    reason: said,
    hint: "The step's log has Trivy's own words. `gantry resume` tries again.",
    cause,
  })
}

/** Manifest digests that an OCI layout names. https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md */
export function digestsOf(index: string): readonly string[] {
  try {
    const { manifests } = JSON.parse(index) as { readonly manifests?: readonly { readonly digest?: unknown }[] }
    return (manifests ?? []).flatMap(({ digest }) => (typeof digest === "string" ? [digest] : []))
  } catch {
    return []
  }
}
