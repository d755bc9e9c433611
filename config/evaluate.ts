import { readFileSync, existsSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join, relative } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { fault, isFault } from "../core/errors.js"

/** Loaded when it is needed, and as what it is: Node reads a CommonJS module through for its names before it imports one. */
const load = createRequire(import.meta.url)

/**
 * The default export of a TypeScript module of the project, without a build step.
 * @param cache Folder for the translated modules. Not the usual one in the shared /tmp: whoever can write there would decide
 *   what the configuration says.
 * @throws CONFIG-LOAD
 */
export async function evaluate(path: string, cache: string): Promise<unknown> {
  const { createJiti } = load("jiti") as typeof import("jiti")
  const jiti = createJiti(pathToFileURL(path).href, { interopDefault: false, alias: ownEntries(), fsCache: cache })
  let module: unknown
  try {
    module = await jiti.import(path)
  } catch (cause) {
    throw unloadable(path, cause)
  }
  if (typeof module === "object" && module !== null && "default" in module) return module.default
  throw fault({
    code: "CONFIG-LOAD",
    kind: "usage",
    message: `${path} has no default export`,
    hint: "It must be a TypeScript module with `export default defineConfig({ … })`.",
  })
}

/**
 * What `gantry-ci` and its subpaths mean in the configuration and in pipelines: the very modules that run now. So there is one
 * copy of them, also when the command and the project have been installed in different places. Empty when run from sources.
 */
function ownEntries(): Record<string, string> {
  let root = dirname(fileURLToPath(import.meta.url))
  const built = root.split(/[\\/]/).at(-2) === "dist"
  while (built && !existsSync(join(root, "package.json"))) root = dirname(root)
  if (!built) return {}
  const { name, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly name: string
    readonly exports: Readonly<Record<string, string | { readonly default: string }>>
  }
  return Object.fromEntries(
    Object.entries(exports).flatMap(([subpath, target]) =>
      typeof target === "string" ? [] : [[join(name, subpath).replaceAll("\\", "/"), join(root, target.default)]],
    ),
  )
}

function unloadable(path: string, cause: unknown) {
  const error = cause instanceof Error ? cause : new Error(String(cause))
  const text = error.message.replace(/^ParseError:\s*/, "")
  const where = placeIn(dirname(path), `${text}\n${error.stack ?? ""}`)
  // What the framework has to say about a step or a pipeline is better than anything that could be said here.
  const said = isFault(cause) ? { reason: cause.reason, hint: cause.hint } : undefined
  return fault({
    code: isFault(cause) ? cause.code : "CONFIG-LOAD",
    kind: "usage",
    message: `${where ?? path}: ${(text.split("\n")[0] ?? "").trim() || "cannot be loaded"}`,
    reason:
      said?.reason ??
      (/^Cannot find (module|package)/.test(text) ? text.split("\n").slice(1).join(" ").trim() : undefined),
    hint: said?.hint ?? "It must be a TypeScript module whose default export is defineConfig({ … }).",
    cause,
  })
}

/** The first file of the project that a message or stack names, with line and column; not one of its packages. */
function placeIn(root: string, text: string): string | undefined {
  for (const [, file = "", line = "", column = ""] of text.matchAll(/(?:file:\/\/)?(\/[^\s():]+):(\d+):(\d+)/g)) {
    const inside = relative(root, file)
    if (!inside.startsWith("..") && !inside.includes("node_modules")) return `${inside}:${line}:${column}`
  }
  return undefined
}
