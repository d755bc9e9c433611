import { execFileSync, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir, mkdtemp, open, readFile, rename, rm, writeFile } from "node:fs/promises"
import { homedir, tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { noProgress } from "../../core/progress.js"
import { aptInstall, findCommand } from "../../engine/docker/apt.js"

/** Runs .gitlab-ci.yml on one machine, and checks it against GitLab's published schema, which it brings along. */
const packages = ["gitlab-ci-local@4.75.1", "node@22"]

/**
 * How gitlab-ci-local is started: with a Node of its own, because it wants a newer one than Gantry does. Installed with npm
 * outside of the work tree when it is not there yet: together they are 190 MB.
 */
export async function gitlabCiLocal(): Promise<readonly string[]> {
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "gantry-tests")
  const folder = join(cache, packages.join("+").replaceAll("/", "-"))
  const argv = ["node/bin/node", "gitlab-ci-local/dist/index.js"].map((path) => join(folder, "node_modules", path))
  if (argv.every((path) => existsSync(path))) return argv
  await mkdir(cache, { recursive: true })
  const making = await mkdtemp(join(cache, "install-"))
  try {
    // The install script of `node` fetches the binary of this platform from the same registry.
    await writeFile(join(making, "package.json"), JSON.stringify({ private: true, allowScripts: { node: true } }))
    execFileSync("npm", ["install", "--no-audit", "--no-fund", ...packages], {
      cwd: making,
      stdio: ["ignore", "ignore", "pipe"],
    })
    await rename(making, folder).catch(async (cause: unknown) => {
      if (!existsSync(folder)) throw cause // Somebody else was quicker otherwise.
    })
  } finally {
    await rm(making, { recursive: true, force: true })
  }
  return argv
}

/** It hands files on to its jobs with rsync. @throws when that is not there and cannot be installed */
export async function withRsync(): Promise<void> {
  if ((await findCommand("rsync")) === undefined) await aptInstall(["rsync"], noProgress, { expectedSeconds: 20 })
}

export interface Ended {
  readonly code: number | null
  readonly output: string
}

/** Runs it in a repository; nothing of the surrounding CI reaches it. */
export async function runGitlabCiLocal(cwd: string, args: readonly string[]): Promise<Ended> {
  const [node = "", script = ""] = await gitlabCiLocal()
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(CI|CI_.*|GITLAB_.*|GITHUB_.*)$/.test(name)),
  )
  // Into a file: it exits without waiting for a pipe, and then the end of a long list is lost.
  const dir = await mkdtemp(join(tmpdir(), "gitlab-ci-local-"))
  const log = await open(join(dir, "output"), "w+")
  try {
    const child = spawn(node, [script, ...args], { cwd, env, stdio: ["ignore", log.fd, log.fd] })
    const code = await new Promise<number | null>((done, fail) => {
      child.on("error", fail)
      child.on("close", done)
    })
    return { code, output: await readFile(join(dir, "output"), "utf8") }
  } finally {
    await log.close()
    await rm(dir, { recursive: true, force: true })
  }
}

/** A repository whose branch `main` is at its origin as well, with these files. */
export async function makeRepository(dir: string, files: Readonly<Record<string, string>>) {
  const origin = join(dir, "origin.git")
  const work = join(dir, "shop")
  await mkdir(work, { recursive: true })
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=Zhao Author", "-c", "user.email=zhao@shop.example", ...args], {
      cwd: work,
      env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    })
  const commit = async (more: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(more)) {
      await mkdir(dirname(join(work, name)), { recursive: true })
      await writeFile(join(work, name), text)
    }
    git("add", "-A")
    git("commit", "-q", "-m", "Change")
  }
  execFileSync("git", ["init", "-q", "--bare", "-b", "main", "--template=", origin])
  git("init", "-q", "-b", "main", "--template=")
  await commit({ ".gitignore": ".gitlab-ci-local/\n", ...files })
  git("remote", "add", "origin", origin)
  git("push", "-q", "origin", "main")
  git("remote", "set-head", "origin", "main")
  return { work, commit }
}
