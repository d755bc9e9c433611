import { execa } from "execa"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { built, repository } from "../../unit/cli/built.js"

export interface Installed {
  /** An empty repository elsewhere, in which the packed package is installed. */
  readonly dir: string
  /** Names of the files in the tarball. */
  readonly files: readonly string[]
  run(command: string, args: readonly string[], env?: Record<string, string>): Promise<Result>
  write(files: Record<string, string>): Promise<void>
  /** Everything that is there, as a commit. */
  commit(): Promise<void>
  dispose(): Promise<void>
}
export interface Result {
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr: string
}

/** Packs this repository, and installs the tarball into an empty git repository in another folder. */
export async function installPacked(): Promise<Installed> {
  await built()
  const top = await mkdtemp(join(tmpdir(), "gantry-package-"))
  const dir = join(top, "shop")
  await mkdir(dir)
  const packed = await execa("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", top], {
    cwd: repository,
  })
  const [tarball] = JSON.parse(packed.stdout) as [{ filename: string; files: { path: string }[] }]

  const env = { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null", NO_COLOR: "1" }
  const run = async (command: string, args: readonly string[], more: Record<string, string> = {}): Promise<Result> => {
    const result = await execa(command, args, { cwd: dir, reject: false, env: { ...env, ...more }, stdin: "ignore" })
    // npm and npx have their own opinions of the host's npm settings.
    return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr.replace(/^npm warn .*\n?/gm, "") }
  }
  const must = async (command: string, ...args: string[]) => {
    const result = await run(command, args)
    if (result.exitCode !== 0) throw new Error(`${command} ${args.join(" ")}: ${result.stdout}\n${result.stderr}`)
  }
  await must("git", "init", "-q", "-b", "main", "--template=")
  await writeFile(join(dir, "package.json"), JSON.stringify({ name: "shop", private: true, version: "1.0.0" }))
  await writeFile(join(dir, ".gitignore"), "node_modules/\n")
  await must("npm", "install", "--no-audit", "--no-fund", "--prefer-offline", join(top, tarball.filename))
  return {
    dir,
    files: tarball.files.map((file) => file.path),
    run,
    async write(files) {
      for (const [name, text] of Object.entries(files)) {
        await mkdir(dirname(join(dir, name)), { recursive: true })
        await writeFile(join(dir, name), text)
      }
    },
    async commit() {
      await must("git", "add", "-A")
      await must(
        "git",
        "-c",
        "user.name=Zhao Author",
        "-c",
        "user.email=zhao@shop.example",
        "commit",
        "-q",
        "-m",
        "A version",
      )
    },
    dispose: () => rm(top, { recursive: true, force: true }),
  }
}
