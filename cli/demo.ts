import { join } from "node:path"
import { parseArgs } from "node:util"
import { loadProject, selectServices, targetVariable } from "../config/index.js"
import { toErrorRecord } from "../core/errors.js"
import { holding } from "../core/within.js"
import { listRuns, openStore, readRun } from "../core/store.js"
import { renderFault } from "../report/fault.js"
import type { Settings } from "../steps/settings.js"
import { git } from "../steps/git.js"
import { demoKubeconfig, labCluster, openAccounts } from "./demo-cluster.js"
import { exitCodeOfFault, exitCodes } from "./exit.js"
import { onInterrupt } from "./interrupt.js"
import { packageRoot } from "../core/package-root.js"
import { supply } from "./supply.js"
import { decideVerb } from "./verbs/decide.js"
import { resume, run } from "./verbs/run.js"
import { openProgress, textOptions } from "./view.js"

/**
 * `npm run demo [-- --target kubernetes]`: delivers the shop's catalog from this repository's commit to PROD, as the commands
 * in the README would do it. The commit's author may not approve, so a second identity does, for everybody to see. On
 * Kubernetes TEST, UAT and PROD are namespaces of a cluster that it brings up, each with an account of its own.
 */
const service = "catalog"

async function demo(): Promise<number> {
  const root = packageRoot()
  const started = Date.now()
  const { target = "" } = parseArgs({ options: { target: { type: "string" } } }).values
  // As `--target` of the command does; the runs below take it from there.
  if (target !== "") process.env[targetVariable] = target
  const { settings } = await loadProject(root)
  const [author = "", email = ""] = (await git(["show", "-s", "--format=%an%n%ae", "HEAD"], { cwd: root })).split("\n")
  const approver = settings.approvers.find((a) => a.email.toLowerCase() !== email.toLowerCase())
  if (approver === undefined) throw new Error("gantry.config.ts names no approver but the author")

  say("Providing what is missing: Docker Engine, Dagger engine, registry, SonarQube, Trivy, images")
  const supplied = Date.now()
  await provide(selectServices(settings, [service]))
  say(`Everything is there after ${Math.round((Date.now() - supplied) / 1000)} s`)

  if (settings.target === "kubernetes") await openCluster(root, settings)

  say(`$ gantry run delivery --service ${service}${target === "" ? "" : ` --target ${target}`}`)
  let code = await run(root, "delivery", { service: [service] })
  const store = openStore(root)
  const id = (await listRuns(store))[0]
  if (id === undefined || (code !== exitCodes.waiting && code !== exitCodes.ok)) return code

  if (code === exitCodes.waiting) {
    const reason = "demo: TEST and UAT answer with this commit"
    say(`The author, ${author}, may not approve. ${approver.name} (${approver.role}) does:`)
    say(`$ gantry approve ${id} --as "${approver.name}" --reason "${reason}"`)
    code = await decideVerb(root, id, "approved", { as: approver.name, reason })
    if (code !== exitCodes.ok) return code
    say(`$ gantry resume ${id}`)
    code = await resume(root, id, {})
  }
  const record = await readRun(store, id)
  if (code === exitCodes.ok) {
    const deployments = record.steps.flatMap((s) => s.reports.filter((r) => r.kind === "deployment"))
    const lines = deployments.map(
      (d) => `${d.environment.toUpperCase().padEnd(5)} ${d.url}   ${d.replicas} instance(s)`,
    )
    const digests = new Set(deployments.map((d) => d.digest))
    process.stdout.write(
      [
        "",
        `Delivered ${service} at commit ${record.commit.slice(0, 12)} in ${Math.round((Date.now() - started) / 1000)} s`,
        ...lines,
        `image  ${[...digests].join(" AND ")}${digests.size === 1 ? "  (one digest in all of them)" : ""}`,
        `report ${join(store.runDir(id), "report.html")}`,
        "",
      ].join("\n"),
    )
    if (digests.size !== 1) return exitCodes.errored
  }
  return code
}

/** The cluster, and in it a namespace and an account for each environment; KUBECONFIG leads there. */
async function openCluster(root: string, settings: Settings): Promise<void> {
  say("Bringing up a Kubernetes cluster in a container of the local Docker Engine")
  const interrupt = onInterrupt(say)
  try {
    const admin = await labCluster(interrupt.signal)
    const kubeconfig = demoKubeconfig(root)
    const environments = Object.values(settings.environments)
    await openAccounts(admin, settings.project, environments, kubeconfig)
    for (const { name } of environments)
      say(`$ gantry env rbac ${name} | kubectl --context ${admin.context} apply -f -`)
    process.env["KUBECONFIG"] = kubeconfig
    say(`$ export KUBECONFIG=${kubeconfig}`)
  } finally {
    interrupt.release()
  }
}

/** With progress, and interruptible: what is made stays, the next start goes on from there. */
async function provide(settings: Settings): Promise<void> {
  const progress = openProgress()
  const interrupt = onInterrupt(say)
  try {
    await supply(settings, progress, interrupt.signal)
  } finally {
    progress.stop()
    interrupt.release()
  }
}

function say(text: string): void {
  process.stderr.write(`\n${text}\n`)
}

try {
  process.exitCode = await holding(demo)
} catch (error) {
  const record = toErrorRecord(error)
  process.stderr.write(renderFault(record, textOptions()) + "\n")
  process.exitCode = exitCodeOfFault(record.kind)
}

// As in main.ts: everything is done, and what still holds the process must not hold the one who waits for it.
setTimeout(() => process.exit(), 5_000).unref()
