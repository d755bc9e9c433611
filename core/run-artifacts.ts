import { readdir } from "node:fs/promises"
import { isAbsolute, join, normalize, relative } from "node:path"
import type { Artifact, Artifacts } from "./artifacts.js"
import { fault } from "./errors.js"
import { fileFault } from "./files.js"
import { hashFile, linkObject, storeObject } from "./objects.js"

/** The artifacts of a step in its run directory. */
export function runArtifacts(options: {
  readonly storeRoot: string
  readonly runDir: string
  readonly step: string
  kept(artifact: Artifact): void
}): Artifacts {
  const { storeRoot, runDir, step } = options
  const put: Artifacts["put"] = async (name, source) => {
    const path = join("artifacts", step, checkName(step, name))
    try {
      const object = await storeObject(storeRoot, source)
      await linkObject(storeRoot, object, join(runDir, path))
      const artifact = { path, ...object }
      options.kept(artifact)
      return artifact
    } catch (cause) {
      throw fileFault(cause, join(runDir, path))
    }
  }
  return {
    put,
    async putFolder(prefix, folder) {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true })
      const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
      const artifacts: Artifact[] = []
      for (const file of files.sort()) artifacts.push(await put(join(prefix, relative(folder, file)), { file }))
      return artifacts
    },
    open: (artifact) => openArtifact(runDir, artifact),
  }
}

/** Absolute path of an artifact after checking it. @throws ARTIFACT-MISSING, ARTIFACT-TAMPERED */
export async function openArtifact(runDir: string, artifact: Artifact): Promise<string> {
  const path = join(runDir, artifact.path)
  const found = await hashFile(path).catch(() => undefined)
  if (found?.sha256 === artifact.sha256) return path
  throw fault({
    code: found === undefined ? "ARTIFACT-MISSING" : "ARTIFACT-TAMPERED",
    kind: "errored",
    message:
      found === undefined
        ? `Artifact ${artifact.path} is missing`
        : `Artifact ${artifact.path} is not what was recorded`,
    reason: found === undefined ? path : `Recorded sha256 ${artifact.sha256}, found ${found.sha256}.`,
    hint: "Start a new run; an artifact is never rebuilt behind the back of what was recorded about it.",
  })
}

/** A name stays below the step's folder: names come from tools' output as well. */
function checkName(step: string, name: string): string {
  const normal = normalize(name)
  if (name !== "" && normal !== "." && !isAbsolute(normal) && !normal.split("/").includes("..")) return normal
  throw fault({
    code: "ARTIFACT-NAME",
    kind: "usage",
    message: `"${name}" is no name for an artifact of ${step}`,
    reason: "Names are paths below the step's folder in the run directory.",
    hint: "Use a relative path without `..`.",
  })
}
