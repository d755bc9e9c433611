import { createWriteStream } from "node:fs"
import { mkdir, readdir, readFile } from "node:fs/promises"
import { join, relative } from "node:path"
import { pipeline } from "node:stream/promises"
import type { Container } from "@dagger.io/dagger"
import { pack } from "tar-stream"
import type { Artifact, Artifacts } from "../../core/artifacts.js"
import { matchesGlob } from "../../core/condition.js"
import { abortable } from "../container.js"
import type { TestSuite } from "../service.js"
import { parseCoverage, type Coverage } from "./coverage.js"
import { parseJUnit, type TestCase } from "./junit.js"

export interface Collected {
  readonly cases: readonly TestCase[]
  readonly files: readonly string[]
  readonly broken: readonly string[]
  readonly coverage: readonly Coverage[]
  readonly junit: readonly Artifact[]
  readonly coverageReports: readonly Artifact[]
  readonly kept: Artifact | undefined
}

/** Takes what a suite left out of its container, green or red, reads it and keeps it. */
export async function collect(
  container: Container,
  from: string,
  suite: Pick<TestSuite, "junit" | "coverage" | "keep">,
  context: { readonly artifacts: Artifacts; readonly scratch: string; readonly signal: AbortSignal },
): Promise<Collected> {
  const coverageGlobs = suite.coverage === undefined ? [] : [suite.coverage]
  const target = join(context.scratch, "results")
  await mkdir(target, { recursive: true })
  const wanted = container.directory(from).filter({ include: [...suite.junit, ...coverageGlobs, ...suite.keep] })
  await abortable(wanted.export(target, { wipe: true }), context.signal)
  const all = await filesOf(target)
  const matching = (globs: readonly string[]) =>
    all.filter((file) => globs.some((glob) => matchesGlob(tidy(glob), file)))

  const cases: TestCase[] = []
  const broken: string[] = []
  const junit: Artifact[] = []
  for (const file of matching(suite.junit)) {
    const path = join(target, file)
    try {
      cases.push(...parseJUnit(await readFile(path, "utf8")))
    } catch (error) {
      broken.push(`${file}: ${(error as Error).message}`)
    }
    junit.push(await context.artifacts.put(`junit/${file}`, { file: path }))
  }
  const coverage: Coverage[] = []
  const coverageReports: Artifact[] = []
  for (const file of matching(coverageGlobs)) {
    const path = join(target, file)
    const parsed = parseCoverage(await readFile(path, "utf8"))
    if (parsed !== undefined) coverage.push(parsed)
    coverageReports.push(await context.artifacts.put(`coverage/${file}`, { file: path }))
  }
  const keep = matching(suite.keep)
  let kept: Artifact | undefined
  if (keep.length > 0) {
    const tar = join(context.scratch, "kept.tar")
    await writeTar(tar, target, keep)
    kept = await context.artifacts.put("kept.tar", { file: tar })
  }
  return { cases, files: matching(suite.junit), broken, coverage, junit, coverageReports, kept }
}

const tidy = (glob: string) => glob.replace(/^\.\//, "")

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort()
}

/** The same files give the same bytes: sorted, without times and owners. */
async function writeTar(path: string, folder: string, files: readonly string[]): Promise<void> {
  const tar = pack()
  const written = pipeline(tar, createWriteStream(path))
  for (const name of files) {
    tar.entry({ name, mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 }, await readFile(join(folder, name)))
  }
  tar.finalize()
  await written
}
