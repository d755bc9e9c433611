import { fault } from "../../core/errors.js"
import { step, type Context, type Step } from "../../core/step.js"
import { findCommit, git, tryGit, type GitOptions } from "../git.js"
import { Source } from "../outputs.js"
import type { Service } from "../service.js"
import type { Settings } from "../settings.js"
import { sourceDir } from "../source.js"
import { publicOrigin } from "./origin.js"
import { committedTree, listTree, serviceHash, snapshotTree } from "./tree.js"

type Env = Readonly<Record<string, string | undefined>>

/** The exact tree of the run's commit (with `--dirty`: of the work tree), and what is known about it. */
export function checkout(settings: Settings): Step<Source> {
  return step("checkout", {
    stage: "checkout",
    engine: false,
    cache: false,
    output: Source,
    params: { services: settings.services.map(({ name, path, inputs }) => ({ name, path, inputs: [...inputs] })) },
    run: (context) => runCheckout(context, settings.services),
  })
}

/**
 * Reads commit, author and changed files from the repository around the project and materialises the tree.
 * @throws CHECKOUT-COMMIT, CHECKOUT-SHALLOW, CHECKOUT-SERVICE, SOURCE-FOLDER and the errors of git
 */
export async function runCheckout(
  context: Pick<Context<Record<never, never>, never>, "run" | "log" | "signal">,
  services: readonly Pick<Service, "name" | "path" | "inputs">[],
  env: Env = process.env,
): Promise<Source> {
  const { run, log, signal } = context
  const at = { cwd: run.project, signal }
  const prefix = (await git(["rev-parse", "--show-prefix"], at)).trimEnd()
  const commit = await resolveCommit(run.commit, at)
  const [author = "", email = "", date = "", subject = ""] = (
    await git(["log", "-1", "--no-show-signature", "--encoding=UTF-8", "--format=%an%x00%ae%x00%aI%x00%s", commit], at)
  )
    .trimEnd()
    .split("\0")
  const tree = run.dirty ? await snapshotTree(prefix, at) : await committedTree(commit, prefix, at)
  const base = await baseOf(commit, env, at)
  const changed = await changedFiles(base, prefix, tree, at)
  const files = await listTree(tree, at)
  for (const module of files.filter((file) => file.mode === "160000")) {
    log.warn(`${module.path} is a git submodule: its files are not part of the delivered tree`)
  }
  const branch = await branchOf(commit, env, at)
  const remote = await tryGit(["remote", "get-url", "origin"], at)
  const origin = remote.exitCode === 0 ? publicOrigin(remote.stdout) : undefined
  const source: Source = {
    commit,
    tree,
    dirty: run.dirty,
    author: { name: author, email },
    date,
    subject,
    ...(branch === undefined ? {} : { branch }),
    ...(origin === undefined ? {} : { origin }),
    changed,
    services: Object.fromEntries(services.map((s) => [s.name, hashOf(s, files, run.dirty ? "work tree" : commit)])),
  }
  await sourceDir(run, source)
  log.info(
    `${commit.slice(0, 12)} "${subject}" by ${author} <${email}>, ${date}${branch === undefined ? "" : `, on ${branch}`}`,
  )
  log.info(
    `tree ${tree.slice(0, 12)}${run.dirty ? " (the work tree, not the commit)" : ""}, ${changed.length} changed files`,
  )
  return source
}

async function resolveCommit(wanted: string, at: GitOptions): Promise<string> {
  const found = await findCommit(wanted, at)
  if (found !== undefined) return found
  throw fault({
    code: "CHECKOUT-COMMIT",
    kind: "usage",
    message: `There is no commit ${wanted} in ${at.cwd}`,
    hint: "`git log --oneline` lists what is there; `git fetch origin` gets what is not.",
  })
}

/** What the changed files are counted from: the merge request's base where there is one, else the first parent. */
async function baseOf(commit: string, env: Env, at: GitOptions): Promise<string> {
  // From the object itself: `git log` says that a commit at the edge of a shallow clone has no parents.
  const [header = ""] = (await git(["cat-file", "commit", commit], at)).split("\n\n", 1)
  const parent = /^parent ([0-9a-f]+)$/m.exec(header)?.[1] ?? ""
  const mergeBase = env["CI_MERGE_REQUEST_DIFF_BASE_SHA"]
  const base = mergeBase !== undefined && mergeBase !== "" ? mergeBase : parent
  // The empty tree: everything is new in a first commit. Its id depends on the repository's hash function.
  if (base === "") return (await git(["hash-object", "-t", "tree", "/dev/null"], at)).trim()
  if ((await tryGit(["cat-file", "-e", `${base}^{commit}`], at)).exitCode === 0) return base
  throw fault({
    code: "CHECKOUT-SHALLOW",
    kind: "usage",
    message: `The clone is shallow: ${base.slice(0, 12)}, from which commit ${commit.slice(0, 12)} differs, is missing`,
    reason: "Changed files and the blame that SonarQube shows need the history.",
    hint: "git fetch --unshallow origin; in GitLab CI set GIT_DEPTH: 0, in GitHub Actions fetch-depth: 0.",
  })
}

/** Names relative to the project, without detection of renames: both names of a moved file changed. */
async function changedFiles(base: string, prefix: string, tree: string, at: GitOptions): Promise<string[]> {
  const type = (await git(["cat-file", "-t", base], at)).trim()
  const empty = async () => (await git(["hash-object", "-t", "tree", "/dev/null"], at)).trim()
  const before = type === "tree" ? base : await committedTree(base, prefix, at).catch(empty)
  const text = await git(["diff-tree", "-r", "-z", "--no-renames", "--name-only", before, tree], at)
  return text.split("\0").filter((name) => name !== "")
}

/** The branch that is checked out when the commit is on it; CI checks out none and says its name. */
async function branchOf(commit: string, env: Env, at: GitOptions): Promise<string | undefined> {
  const said = env["CI_COMMIT_BRANCH"] ?? env["CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"] ?? env["GITHUB_HEAD_REF"]
  if (said !== undefined && said !== "") return said
  if (env["GITHUB_REF_TYPE"] === "branch" && env["GITHUB_REF_NAME"] !== undefined) return env["GITHUB_REF_NAME"]
  const head = await tryGit(["symbolic-ref", "--quiet", "--short", "HEAD"], at)
  if (head.exitCode !== 0) return undefined
  const on = await tryGit(["merge-base", "--is-ancestor", commit, "HEAD"], at)
  return on.exitCode === 0 ? head.stdout.trim() : undefined
}

function hashOf(
  service: Pick<Service, "name" | "path" | "inputs">,
  files: Awaited<ReturnType<typeof listTree>>,
  where: string,
): string {
  const hash = serviceHash(files, service.path, service.inputs)
  if (hash !== undefined) return hash
  throw fault({
    code: "CHECKOUT-SERVICE",
    kind: "usage",
    message: `Service ${service.name}: the folder ${service.path} is not in ${where.slice(0, 12)}`,
    reason: "The configuration names it, the delivered tree does not have it.",
    hint: `Commit it (git add ${service.path} && git commit), or deliver a later commit.`,
  })
}
