import { access, constants } from "node:fs/promises"
import { delimiter, join } from "node:path"
import { fault } from "../../core/errors.js"
import type { Progress } from "../../core/progress.js"
import { diskFull } from "../files.js"
import { lastLines, runHost } from "../exec.js"

/** Path of a host command, also where PATH of an ordinary user leaves out the system folders. */
export async function findCommand(name: string, env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  for (const folder of [...(env["PATH"] ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"]) {
    if (folder === "") continue
    const path = join(folder, name)
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path
  }
  return undefined
}

/** Whether packages can be installed here: root, and a Debian (or a system of its kind). */
export async function canInstall(): Promise<boolean> {
  return process.getuid?.() === 0 && (await findCommand("apt-get")) !== undefined
}

/**
 * Installs Debian packages without questions. The package lists are refreshed once when a package is not found in them.
 * Starting services is left to the caller. Errors: SUPPLY-APT with apt's own last lines, SUPPLY-DISK-FULL.
 */
export async function aptInstall(
  packages: readonly string[],
  progress: Progress,
  options: { readonly expectedSeconds: number; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const task = progress.task(`Installing ${packages.join(", ")} from Debian's packages`, options)
  const run = (args: readonly string[]) =>
    runHost("apt-get", ["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3", ...args], {
      task,
      env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C", RUNLEVEL: "1" },
      signal: options.signal,
    })
  const install = ["install", "-y", "--no-install-recommends", ...packages]
  let result = await run(install)
  if (result.exitCode !== 0) {
    task.update("refreshing the package lists")
    // A third-party source that does not answer must not stop Debian's own packages: install decides.
    await run(["update"])
    result = await run(install)
  }
  if (result.exitCode === 0) {
    task.done()
    return
  }
  options.signal?.throwIfAborted()
  const error =
    diskFull(result.output, "/var") ??
    fault({
      code: "SUPPLY-APT",
      kind: "errored",
      message: `Debian's packages ${packages.join(", ")} could not be installed`,
      reason: lastLines(result.output),
      hint: `Run \`apt-get install ${packages.join(" ")}\` by hand to see what it needs, then run the same command again.`,
    })
  task.fail(error)
  throw error
}
