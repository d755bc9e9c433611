import { mkdir, readFile, writeFile } from "node:fs/promises"
import { basename, dirname, join, relative, resolve } from "node:path"
import { configFile, serviceFile } from "../../config/index.js"
import { fault } from "../../core/errors.js"
import { exists } from "../../core/store.js"
import { exitCodes } from "../exit.js"
import { configText, guessToolchain, pipelineText, serviceText } from "./init-texts.js"

/**
 * `gantry init [folder]`: writes gantry.config.ts, a first pipeline, and the declaration of the service in `folder`,
 * which has a Dockerfile. Files that exist stay as they are.
 * @throws INIT-NO-DOCKERFILE, INIT-NOTHING
 */
export async function init(
  cwd: string,
  folder: string | undefined,
  options: { readonly name?: string },
): Promise<number> {
  const root = resolve(cwd)
  const service = resolve(root, folder ?? ".")
  if (!(await exists(join(service, "Dockerfile")))) {
    throw fault({
      code: "INIT-NO-DOCKERFILE",
      kind: "usage",
      message: `${relative(root, join(service, "Dockerfile")) || "Dockerfile"} is not there`,
      reason: "A service is a folder that is built by a Dockerfile.",
      hint: "gantry init <folder with a Dockerfile>",
    })
  }
  const path = relative(root, service) || "."
  const name = asName(options.name ?? basename(root))
  const dockerfile = await readFile(join(service, "Dockerfile"), "utf8")
  const has = (file: string) => exists(join(service, file))
  const toolchain = guessToolchain({
    node: await has("package.json"),
    npmLock: await has("package-lock.json"),
    maven: await has("pom.xml"),
    dockerfile,
  })
  const files: Record<string, string> = {
    [configFile]: configText(name, path),
    [join("pipelines", "first.ts")]: pipelineText(),
    [join(path, serviceFile)]: serviceText(asName(path === "." ? name : basename(service)), toolchain),
  }
  let written = 0
  for (const [file, text] of Object.entries(files)) {
    if (await exists(join(root, file))) {
      process.stderr.write(`kept     ${file}\n`)
      continue
    }
    await mkdir(dirname(join(root, file)), { recursive: true })
    await writeFile(join(root, file), text, { flag: "wx" })
    process.stderr.write(`written  ${file}\n`)
    written++
  }
  if (written > 0) process.stderr.write("\nCommit these files, then: npx gantry plan first && npx gantry run first\n")
  return exitCodes.ok
}

function asName(text: string): string {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "")
    .slice(0, 30)
  return name === "" ? "project" : name
}
