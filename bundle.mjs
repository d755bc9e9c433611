import { readFileSync } from "node:fs"
import { join } from "node:path"
import { build } from "rolldown"

// From the compiled modules in build/ to what is published in dist/: one file for each entry, and what several share in chunks.
// A process then opens some sixty files instead of three hundred (docs/decisions/0075). Chunks of builds before are left: a
// process of one may still run, and load some.
const { exports, dependencies } = JSON.parse(readFileSync("package.json", "utf8"))
const published = Object.values(exports).flatMap((target) => (typeof target === "string" ? [] : [target.default]))
const entries = [...published, "./dist/cli/main.js", "./dist/cli/demo.js"].map((file) =>
  file.replace(/^\.\/dist\/(.*)\.js$/, "$1"),
)

/** Of many small modules, most of which no command needs. The others are loaded from where they are installed. */
const included = ["yaml", "zod"]
const external = Object.keys(dependencies).filter((name) => !included.includes(name))

/** Their licences ask for their texts beside the code. */
function emitLicences() {
  const text = included.map((name) => `${name}\n\n${readFileSync(join("node_modules", name, "LICENSE"), "utf8")}`)
  this.emitFile({ type: "asset", fileName: "LICENSES.txt", source: text.join("\n\n") })
}

await build({
  input: Object.fromEntries(entries.map((name) => [name, `build/${name}.js`])),
  platform: "node",
  external: [/^node:/, ...external.map((name) => new RegExp(`^${name}(/|$)`))],
  output: { dir: "dist", format: "esm", chunkFileNames: "chunks/[name]-[hash].js" },
  plugins: [{ name: "licences", generateBundle: emitLicences }],
})
