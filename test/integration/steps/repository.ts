import { mkdtemp, mkdir, realpath, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { execa } from "execa"
import { onTestFinished } from "vitest"
import type { RunInfo } from "../../../core/step.js"

export interface Repository {
  readonly dir: string
  git(...args: string[]): Promise<string>
  /** Writes files, adds everything and commits; answers the commit hash. */
  commit(subject: string, files: Readonly<Record<string, string>>): Promise<string>
  write(files: Readonly<Record<string, string>>): Promise<void>
  run(commit: string, options?: { readonly dirty?: boolean; readonly project?: string }): RunInfo
}

/** A temporary folder, removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), "gantry-test-")))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** A real git repository with nothing of the user's configuration in it. */
export async function temporaryRepository(): Promise<Repository> {
  const dir = await temporaryFolder()
  const env = {
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_SYSTEM: "/dev/null",
    GIT_AUTHOR_NAME: "Li Wei",
    GIT_AUTHOR_EMAIL: "li.wei@example.com",
    GIT_AUTHOR_DATE: "2026-03-01T10:00:00+08:00",
    GIT_COMMITTER_NAME: "Li Wei",
    GIT_COMMITTER_EMAIL: "li.wei@example.com",
    GIT_COMMITTER_DATE: "2026-03-01T10:00:00+08:00",
  }
  const git = async (...args: string[]) => (await execa("git", args, { cwd: dir, env })).stdout
  await git("init", "--quiet", "--initial-branch=main")
  const write: Repository["write"] = async (files) => {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(dir, name)), { recursive: true })
      await writeFile(join(dir, name), text)
    }
  }
  return {
    dir,
    git,
    write,
    async commit(subject, files) {
      await write(files)
      await git("add", "--all")
      await git("commit", "--quiet", "--allow-empty", "--message", subject)
      return git("rev-parse", "HEAD")
    },
    run: (commit, { dirty = false, project = dir } = {}) => ({
      id: "20260301-100000-abcd",
      pipeline: "delivery",
      dir: join(project, ".gantry", "runs", "20260301-100000-abcd"),
      project,
      commit,
      dirty,
    }),
  }
}
