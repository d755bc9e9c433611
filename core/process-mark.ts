import { readFile } from "node:fs/promises"
import { hostname } from "node:os"

/** Says which process it was, also when its pid has been given to another one since. */
export interface ProcessMark {
  readonly pid: number
  readonly host: string
  /** Which boot of that host (Linux); empty where it cannot be told. */
  readonly boot: string
  /** Start time in clock ticks since boot (Linux), so that a reused pid is not taken for the owner. */
  readonly started: string
}

export async function thisProcess(): Promise<ProcessMark> {
  const stat = await processStat(process.pid)
  return { pid: process.pid, host: hostname(), boot: await bootId(), started: stat?.started ?? "" }
}

/** True also when it cannot be told from here: better refuse than run twice. */
export async function isAlive(mark: ProcessMark): Promise<boolean> {
  if (mark.host !== hostname()) return true
  if (mark.boot !== "" && mark.boot !== (await bootId())) return false
  try {
    process.kill(mark.pid, 0)
  } catch (cause) {
    // EPERM: it lives and belongs to somebody else.
    if ((cause as NodeJS.ErrnoException).code === "ESRCH") return false
  }
  const stat = await processStat(mark.pid)
  if (stat === undefined || mark.started === "") return true
  // A killed process whose parent has not waited for it (Z, X) still has its pid.
  return stat.state !== "Z" && stat.state !== "X" && stat.started === mark.started
}

/** proc_pid_stat(5): field 3 is the state, field 22 the start time; field 2 is a name in brackets that may hold anything. */
async function processStat(pid: number): Promise<{ state: string; started: string } | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8")
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return { state: fields[0] ?? "", started: fields[19] ?? "" }
  } catch {
    return undefined // No /proc on this system: the pid alone has to do.
  }
}

let boot: Promise<string> | undefined

function bootId(): Promise<string> {
  return (boot ??= readFile("/proc/sys/kernel/random/boot_id", "utf8").then(
    (text) => text.trim(),
    () => "",
  ))
}
