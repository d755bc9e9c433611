import module from "node:module"
import { homedir } from "node:os"
import { join } from "node:path"

/**
 * Lets Node keep compiled modules between two commands; from 22.1 on, before there is no such thing
 * (https://nodejs.org/api/module.html#moduleenablecompilecachecachedir). Not in the shared /tmp, its default: whoever can
 * write there would decide what runs. A folder that cannot be written is no cache, and nothing else.
 */
export function enableCompileCache(env: NodeJS.ProcessEnv = process.env): void {
  const { enableCompileCache: enable } = module as { enableCompileCache?: (dir: string) => unknown }
  if (env["NODE_COMPILE_CACHE"] !== undefined) return
  enable?.(join(env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "gantry", "compiled"))
}
