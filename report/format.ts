/** Figures for people. Same form everywhere: terminal, plain lines, HTML. */

/** Milliseconds as "340 ms", "4.2 s", "37 s", "3 min 12 s", "1 h 04 min", "2 d 3 h". */
export function duration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return "–"
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** A running clock: whole seconds, "0 s", "7 s", "3 min 12 s". */
export function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  return seconds < 10 ? `${seconds} s` : duration(seconds * 1000)
}

/** Bytes in decimal units, as registries and `sizeBudgetMB` count: "812 B", "58.3 MB". */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"]
  let value = count
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** 0–100 as "87.4 %". */
export function percent(value: number): string {
  return `${Number(value.toFixed(1))} %`
}

/** "1 finding", "3 findings". */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/** "sha256:" and 12 digits: enough to recognise, too little to mistake for the whole. */
export function shortDigest(digest: string): string {
  const match = /^(sha256:)?([0-9a-f]{12})[0-9a-f]{20,}$/.exec(digest)
  return match === null ? digest : `${match[1] ?? ""}${match[2]}…`
}

/** Eight digits of a commit. */
export function shortCommit(commit: string): string {
  return /^[0-9a-f]{16,}$/.test(commit) ? commit.slice(0, 8) : commit
}

const two = (n: number) => String(n).padStart(2, "0")

/** Time of day of an ISO 8601 instant, "16:05:12". */
export function clock(at: string, utc = false): string {
  const d = new Date(at)
  if (Number.isNaN(d.getTime())) return "--:--:--"
  return utc
    ? `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`
    : `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`
}

/** Date, time and offset of an ISO 8601 instant, "2026-11-23 16:05:12 +08:00". */
export function moment(at: string, utc = false): string {
  const d = new Date(at)
  if (Number.isNaN(d.getTime())) return at
  if (utc) return `${d.toISOString().slice(0, 19).replace("T", " ")} UTC`
  const minutes = -d.getTimezoneOffset()
  const offset = `${minutes < 0 ? "-" : "+"}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${clock(at)} ${offset}`
}
