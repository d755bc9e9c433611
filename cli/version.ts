import { readFileSync } from "node:fs"
import { join } from "node:path"
import { packageRoot } from "../core/package-root.js"

/** Version of this package. */
export function version(): string {
  const json = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { readonly version: string }
  return json.version
}
