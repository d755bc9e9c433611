// ESLint and prettier on every file whose verdict may have changed since it was found to be good.
//   node test/lint.mjs        what is known to be good is not looked at again
//   node test/lint.mjs --all  everything
// Typed rules look further than the file, so what is known is the hash of a file with all that it imports, how ever far, and
// of the settings and packages that decide. It lies in the user's cache, so that a fresh clone of CI has it as well.
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join, relative } from "node:path"
import { ESLint } from "eslint"
import * as prettier from "prettier"

/** Verdicts that are kept: those of a few versions of the tree. */
const most = 20_000
const store = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "gantry-tests", "lint.json")
const known = new Set(process.argv.includes("--all") ? [] : (readKnown() ?? []))

const hash = (...texts) => createHash("sha256").update(texts.join("\0")).digest("base64url").slice(0, 32)
const read = (path) => (existsSync(path) ? readFileSync(path, "utf8") : "")

const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
  encoding: "utf8",
})
  .split("\0")
  .filter((file) => file !== "" && existsSync(file))
const sources = files.filter((file) => /\.(ts|js|mjs|cjs)$/.test(file))
const texts = new Map(sources.map((file) => [file, read(file)]))
const settings = hash(
  process.version,
  ...["package-lock.json", "node_modules/.package-lock.json", "tsconfig.json", "eslint.config.js", "test/lint.mjs"].map(
    read,
  ),
  // What these say holds everywhere.
  ...[...texts.values()].filter((text) => /^\s*declare (global|module)\b/m.test(text)),
)
const styleSettings = hash(prettier.version, ...[".prettierrc.json", ".prettierignore", "test/lint.mjs"].map(read))

const eslint = new ESLint()
const good = []
let bad = false

const unproven = []
for (const file of sources) {
  if (await eslint.isPathIgnored(file)) continue
  const proof = `eslint ${verdictHash(file)}`
  if (known.has(proof)) good.push(proof)
  else unproven.push([file, proof])
}
if (unproven.length > 0) {
  const proofs = new Map(unproven)
  const results = await eslint.lintFiles([...proofs.keys()])
  for (const { filePath, messages } of results) {
    if (messages.length === 0) good.push(proofs.get(relative(process.cwd(), filePath)))
  }
  const text = await (await eslint.loadFormatter("stylish")).format(results)
  if (text !== "") console.log(text)
  bad ||= results.some(({ errorCount }) => errorCount > 0)
}

let styled = 0
for (const file of files) {
  const { ignored, inferredParser } = await prettier.getFileInfo(file, {
    ignorePath: [".prettierignore", ".gitignore"],
  })
  if (ignored || inferredParser === null) continue
  const text = texts.get(file) ?? read(file)
  const proof = `prettier ${hash(styleSettings, inferredParser, text)}`
  if (!known.has(proof)) {
    styled += 1
    const rules = await prettier.resolveConfig(file, { editorconfig: true })
    if (!(await prettier.check(text, { ...rules, filepath: file }))) {
      console.log(`${file}: not as prettier writes it (npx prettier --write ${file})`)
      bad = true
      continue
    }
  }
  good.push(proof)
}

console.log(`eslint: ${unproven.length} files, prettier: ${styled} files; the others are known to be good`)
keep([...new Set([...good, ...(readKnown() ?? [])])].slice(0, most))
process.exitCode = bad ? 1 : 0

/** Of a file, of all that it imports, and of all that decides about them. */
function verdictHash(file) {
  const closure = [...closureOf(file)].sort()
  return hash(settings, file, ...closure.map((path) => `${path}\0${contentHash(path)}`))
}

function closureOf(file, seen = new Set()) {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const next of importsOf(file)) closureOf(next, seen)
  return seen
}

function importsOf(file) {
  importsOf.known ??= new Map()
  let found = importsOf.known.get(file)
  if (found === undefined) {
    const text = texts.get(file) ?? ""
    // The package by its own name: what is built of all the sources.
    if (/from "gantry-ci/.test(text)) found = sources
    else {
      const named = [...text.matchAll(/\b(?:from|import)\b\s*\(?\s*["'](\.{1,2}\/[^"']+)["']/g)].map(([, path]) => path)
      found = named.map((path) => resolved(join(dirname(file), path)))
    }
    importsOf.known.set(file, found)
  }
  return found
}

function resolved(path) {
  const source = path.replace(/\.js$/, ".ts")
  return texts.has(source) ? source : path
}

function contentHash(file) {
  contentHash.known ??= new Map()
  if (!contentHash.known.has(file)) contentHash.known.set(file, hash(texts.get(file) ?? read(file)))
  return contentHash.known.get(file)
}

function readKnown() {
  try {
    return JSON.parse(readFileSync(store, "utf8"))
  } catch {
    return undefined
  }
}

/** Two work trees may lint at once; the later one's verdicts stay. A cache that cannot be written is none. */
function keep(verdicts) {
  try {
    mkdirSync(dirname(store), { recursive: true })
    writeFileSync(`${store}.${process.pid}`, JSON.stringify(verdicts))
    renameSync(`${store}.${process.pid}`, store)
  } catch {
    return
  }
}
