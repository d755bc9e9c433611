import { randomBytes } from "node:crypto"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import { fault } from "../../../core/errors.js"
import type { EngineContext } from "../../../engine/context.js"
import { execIn } from "../../../engine/stack/exec.js"
import { archiveFolder, saveImages } from "./archive.js"

/** Gives the node an image of the host's Docker Engine under `name` (default: its own). Errors: LAB-IMPORT. */
export async function importImage(context: EngineContext, node: string, image: string, name = image): Promise<void> {
  const file = `import-${randomBytes(6).toString("hex")}.tar`
  const path = join(archiveFolder(context), file)
  try {
    await saveImages(context, [image], path)
    const ran = await execIn(context.docker, node, [
      "sh",
      "-ec",
      'ctr -n k8s.io images import "$1"; [ "$2" = "$3" ] || ctr -n k8s.io images tag --force "$2" "$3"',
      "sh",
      `/images/${file}`,
      image,
      name,
    ])
    if (ran.exitCode === 0) return
    throw fault({
      code: "LAB-IMPORT",
      kind: "errored",
      message: `The lab's node could not import ${image}`,
      reason: ran.output,
      hint: "Name the image in full, with registry and tag, as containerd does.",
    })
  } finally {
    await rm(path, { force: true })
  }
}
