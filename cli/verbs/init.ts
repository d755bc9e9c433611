import { appendFile, mkdir, readFile, stat, writeFile } from "node:fs/promises"
import { basename, dirname, join, relative, resolve, sep } from "node:path"
import { configFile, findProject, serviceFile } from "../../config/index.js"
import { fault } from "../../core/errors.js"
import { exists } from "../../core/store.js"
import { exitCodes } from "../exit.js"
import { configText, guessToolchain, pipelineText, serviceText } from "./init-texts.js"

/**
 * `gantry init [folder]`: writes gantry.config.ts, a first pipeline, and the declaration of the service in `folder`,
 * which has a Dockerfile. Files that exist stay as they are. Inside of a project it adds to that project.
 * @throws INIT-NO-DOCKERFILE, INIT-OUTSIDE
 */
export async function init(
  cwd: string,
  folder: string | undefined,
  options: { readonly name?: string },
): Promise<number> {
  const root = await findProject(cwd).catch(() => cwd)
  const service = resolve(cwd, folder ?? ".")
  const path = relative(root, service).split(sep).join("/") || "."
  if (path.startsWith("..")) throw outside(service, root)
  if ((await stat(join(service, "Dockerfile")).catch(() => undefined))?.isFile() !== true)
    throw noDockerfile(cwd, service)

  const project = asName(options.name ?? basename(root), "project")
  const has = (file: string) => exists(join(service, file))
  const toolchain = guessToolchain({
    node: await has("package.json"),
    npmLock: await has("package-lock.json"),
    maven: await has("pom.xml"),
    dockerfile: await readFile(join(service, "Dockerfile"), "utf8"),
  })
  const name = path === "." ? project : asName(basename(service), "service")
  const isNew = await write(root, configFile, configText(project, path))
  if (isNew) await write(root, "pipelines/first.ts", pipelineText())
  await write(root, join(path, serviceFile), serviceText(name, toolchain))
  await ignore(root)
  if (!isNew && !(await names(root, path))) say(`Add "${path}" to \`services\` in ${configFile}.`)
  else {
    say("\nCommit these files, then: npx gantry plan first && npx gantry run first")
    say("In GitLab CI: npx gantry generate gitlab --pipeline first")
  }
  return exitCodes.ok
}

/** True when it was not there before. */
async function write(root: string, file: string, text: string): Promise<boolean> {
  await mkdir(dirname(join(root, file)), { recursive: true })
  try {
    await writeFile(join(root, file), text, { flag: "wx" })
    say(`written  ${file}`)
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause
    say(`kept     ${file}`)
    return false
  }
}

/** What Gantry writes down while it runs is not part of the project. */
async function ignore(root: string): Promise<void> {
  const file = join(root, ".gitignore")
  const text = await readFile(file, "utf8").catch(() => "")
  if (/^\/?\.gantry\/?\s*$/m.test(text)) return
  await appendFile(file, `${text === "" || text.endsWith("\n") ? "" : "\n"}.gantry/\n`)
  say("written  .gitignore (.gantry/)")
}

/** Whether the configuration names the folder, as far as its text tells. */
async function names(root: string, path: string): Promise<boolean> {
  const text = await readFile(join(root, configFile), "utf8")
  return text.includes(`"${path}"`) || text.includes(`'${path}'`)
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

function asName(text: string, otherwise: string): string {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, 30)
    .replace(/-+$/, "")
  return name === "" ? otherwise : name
}

function noDockerfile(cwd: string, service: string) {
  return fault({
    code: "INIT-NO-DOCKERFILE",
    kind: "usage",
    message: `${relative(cwd, join(service, "Dockerfile"))} is not there`,
    reason: "A service is a folder that is built by a Dockerfile.",
    hint: "gantry init <folder with a Dockerfile>",
  })
}

function outside(service: string, root: string) {
  return fault({
    code: "INIT-OUTSIDE",
    kind: "usage",
    message: `${service} is not in the project ${root}`,
    reason: "What is delivered is a commit of the project, with all its services.",
    hint: "Go to the folder that holds both (the top of the repository), and name the service from there.",
  })
}
