import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Artifact, Artifacts } from "../../core/artifacts.js"
import type { TestResult } from "../outputs.js"
import { mapCoverage } from "./coverage.js"
import { testExecutions } from "./executions.js"
import type { KnownFiles } from "./files.js"

/** Reports of the tests, as files that the scanner's container gets. */
export interface Prepared {
  /** Absolute folder on the host. */
  readonly folder: string
  /** The scanner's properties that name them. */
  readonly properties: Readonly<Record<string, string>>
  /** Tar files of what the tests kept (compiled classes), to be unpacked in the service's folder. Absolute. */
  readonly kept: readonly string[]
  /** For the log, e.g. "coverage: 14 of 14 files". */
  readonly notes: readonly string[]
}

/**
 * Makes the tests' coverage and JUnit files fit for the scanner and says by which properties it finds them.
 * @param mounted where the folder lies in the scanner's container
 * @throws SONAR-COVERAGE, ARTIFACT-TAMPERED, ARTIFACT-MISSING
 */
export async function prepareReports(
  tests: readonly TestResult[],
  files: { readonly sources: KnownFiles; readonly tests: KnownFiles },
  artifacts: Pick<Artifacts, "open">,
  place: { readonly folder: string; readonly mounted: string },
): Promise<Prepared> {
  await mkdir(place.folder, { recursive: true })
  const read = async (artifact: Artifact) => readFile(await artifacts.open(artifact), "utf8")
  const paths: Record<"lcov" | "jacoco", string[]> = { lcov: [], jacoco: [] }
  const notes: string[] = []
  for (const artifact of tests.flatMap((test) => test.coverageReports)) {
    const mapped = mapCoverage(await read(artifact), files.sources, artifact.path)
    const name = `coverage-${paths.lcov.length + paths.jacoco.length}.${mapped.format === "lcov" ? "info" : "xml"}`
    await writeFile(join(place.folder, name), mapped.text)
    paths[mapped.format].push(`${place.mounted}/${name}`)
    notes.push(`coverage: ${mapped.matched} of ${mapped.files} files of ${artifact.path}`)
  }
  const junit = await Promise.all(tests.flatMap((test) => test.junit).map(read))
  const executions = testExecutions(junit, files.tests)
  if (executions.tests > executions.unknown) {
    await writeFile(join(place.folder, "executions.xml"), executions.xml)
  }
  if (executions.tests > 0) {
    notes.push(`tests: ${executions.tests - executions.unknown} of ${executions.tests} are of files in sonar.tests`)
  }
  const kept = tests.flatMap((test) => (test.kept === undefined ? [] : [test.kept]))
  return {
    folder: place.folder,
    properties: {
      ...(paths.lcov.length === 0 ? {} : { "sonar.javascript.lcov.reportPaths": paths.lcov.join(",") }),
      ...(paths.jacoco.length === 0 ? {} : { "sonar.coverage.jacoco.xmlReportPaths": paths.jacoco.join(",") }),
      ...(executions.tests > executions.unknown
        ? { "sonar.testExecutionReportPaths": `${place.mounted}/executions.xml` }
        : {}),
    },
    kept: await Promise.all(kept.map((artifact) => artifacts.open(artifact))),
    notes,
  }
}
