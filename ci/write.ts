import { mkdir, readdir, readFile, rm } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fault } from "../core/errors.js"
import { writeDurably } from "../core/files.js"
import { originOf, type GeneratedFile } from "./generated.js"

/** How a generated file differs from the one on disk. */
export interface Drift {
  readonly path: string
  /** `missing` · `stale`: made from something else · `edited` by hand · `foreign`: not made by Gantry · `extra`: no longer made. */
  readonly kind: "missing" | "stale" | "edited" | "foreign" | "extra"
  /** What is on disk, "" when nothing is. */
  readonly before: string
  /** What it should be, "" when it should not be there. */
  readonly after: string
}

/**
 * Compares generated files with those on disk. Line ends do not count.
 * @param folders Folders that hold nothing but generated files: further ones of ours in there are `extra`
 */
export async function driftOf(
  root: string,
  files: readonly GeneratedFile[],
  folders: readonly string[],
): Promise<readonly Drift[]> {
  const drifts: Drift[] = []
  for (const { path, text } of files) {
    const before = await read(join(root, path))
    if (before === undefined) drifts.push({ path, kind: "missing", before: "", after: text })
    else if (before !== text) {
      const origin = originOf(before)
      drifts.push({ path, kind: origin === "ours" ? "stale" : origin, before, after: text })
    }
  }
  for (const folder of folders) {
    for (const name of (await readdir(join(root, folder)).catch(() => [])).sort()) {
      const path = `${folder}/${name}`
      if (files.some((file) => file.path === path)) continue
      const before = await read(join(root, path))
      if (before === undefined || originOf(before) === "foreign") continue
      drifts.push({ path, kind: "extra", before, after: "" })
    }
  }
  return drifts
}

/**
 * Writes what differs, and removes what is no longer made.
 * @throws GENERATE-EDITED and writes nothing, when that would destroy somebody's work and `force` is not given; DISK-FULL
 */
export async function writeGenerated(
  root: string,
  drifts: readonly Drift[],
  options: { readonly force: boolean },
): Promise<void> {
  const lost = drifts.find((drift) => drift.kind === "edited" || drift.kind === "foreign")
  if (lost !== undefined && !options.force) throw edited(lost)
  for (const { path, kind, after } of drifts) {
    const file = join(root, path)
    if (kind === "extra") await rm(file, { force: true })
    else {
      await mkdir(dirname(file), { recursive: true })
      await writeDurably(file, after)
    }
  }
}

async function read(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, "utf8")).replace(/\r\n/g, "\n")
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw cause
  }
}

function edited({ path, kind }: Drift) {
  return fault({
    code: "GENERATE-EDITED",
    kind: "usage",
    message:
      kind === "foreign" ? `${path} was not made by Gantry` : `${path} has been edited by hand since it was made`,
    reason: "Writing it now would destroy that.",
    hint: "`--check` shows what differs. Move what you need into gantry.config.ts or the pipeline, then `--force`.",
  })
}
