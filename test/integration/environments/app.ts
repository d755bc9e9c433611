import type Docker from "dockerode"
import { noProgress } from "../../../core/progress.js"
import { buildImage } from "../../../engine/docker/build.js"
import { followStream } from "../../../engine/docker/stream.js"

/** A service that does as its environment says. Answers with its version, instance and what it was given. */
const app = `
const http = require("node:http"), fs = require("node:fs"), net = require("node:net")
const env = process.env
console.log("starting", env.VERSION, "secret", env.DB_PASSWORD)
const giveUp = () => { console.error("giving up: no such table"); process.exit(7) }
if (env.EXIT_AFTER_MS) setTimeout(giveUp, +env.EXIT_AFTER_MS)
let served = 0
if (env.EAT_MEMORY) { const hog = []; for (;;) hog.push(Buffer.alloc(16e6, 1)) }
const born = Date.now()
const ready = () => !env.NEVER_READY && Date.now() - born >= +(env.READY_AFTER_MS || 0)
const reach = (host, port) => new Promise((done) => {
  const s = net.connect({ host, port, timeout: 1500 })
  s.on("connect", () => { s.destroy(); done("open") }).on("timeout", () => { s.destroy(); done("timeout") }).on("error", (e) => done(e.code))
})
// As Micrometer measures: a histogram in seconds, cumulative, of all but the operational paths; by status, each from its first answer on.
const bounds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, Infinity], measured = new Map()
const outcome = (status) => ["INFORMATIONAL", "SUCCESS", "REDIRECTION", "CLIENT_ERROR", "SERVER_ERROR"][Math.floor(status / 100) - 1]
const measure = (method, status, seconds) => {
  const labels = 'method="' + method + '",uri="/",status="' + status + '",outcome="' + outcome(status) + '"'
  const one = measured.get(labels) ?? { counts: bounds.map(() => 0), sum: 0 }
  measured.set(labels, one)
  one.sum += seconds
  bounds.forEach((le, i) => { if (seconds <= le) one.counts[i]++ })
}
const metrics = () => [...measured].map(([labels, { counts, sum }]) => bounds.map((le, i) => "http_server_requests_seconds_bucket{" + labels + ',le="' + (le === Infinity ? "+Inf" : le) + '"} ' + counts[i] + "\\n").join("")
  + "http_server_requests_seconds_count{" + labels + "} " + counts.at(-1) + "\\nhttp_server_requests_seconds_sum{" + labels + "} " + sum + "\\n").join("")
const server = http.createServer(async (q, s) => {
  const url = new URL(q.url, "http://x")
  if (url.pathname === "/ready") { s.statusCode = ready() ? 200 : 503; return s.end() }
  if (url.pathname === "/die") process.exit(9)
  if (url.pathname === "/burn") { for (const end = Date.now() + +url.searchParams.get("ms"); Date.now() < end; ); return s.end(env.VERSION + " " + env.INSTANCE_ID) }
  if (url.pathname === "/reach") return s.end(await reach(url.searchParams.get("host"), +url.searchParams.get("port")))
  if (url.pathname === "/fetch") return s.end(await fetch(url.searchParams.get("url")).then((r) => r.text(), String))
  if (url.pathname === "/info") return s.end(JSON.stringify({ env, config: fs.readFileSync(env.GANTRY_CONFIG, "utf8"), uid: process.getuid() }))
  if (url.pathname === "/metrics") { s.statusCode = env.NO_FIGURES ? 500 : 200; return s.end(metrics()) }
  if (Math.random() < +(env.HANG_UP_SHARE || 0)) return q.socket.destroy()
  await new Promise((done) => setTimeout(done, Math.random() * +(env.LINGER_MS || 20) + +(env.DELAY_MS || 0)))
  const seconds = Math.random() * 0.02 + (env.DELAY_MS || 0) / 1000
  if (Math.random() < +(env.ERROR_SHARE || 0)) s.statusCode = 500
  measure(q.method, s.statusCode, seconds)
  if (++served >= +(env.EXIT_AFTER_REQUESTS || Infinity)) giveUp()
  q.resume().on("end", () => s.end(env.VERSION + " " + env.INSTANCE_ID))
})
server.listen(+env.PORT)
process.on("SIGTERM", () => server.close(() => process.exit(0)))
`

/**
 * Pushes an image of the app to a registry on loopback; each `what` another digest, which is the answer. `tag` is the caller's
 * alone: it is taken away afterwards on this side.
 */
export async function pushApp(
  docker: Docker,
  options: { readonly base: string; readonly repository: string; readonly what: string; readonly tag: string },
): Promise<string> {
  const { base, repository, what, tag } = options
  await buildImage(docker, {
    dockerfile: `FROM ${base}\nCOPY app.js /app.js\nLABEL what=${what}\nUSER 10001\nENTRYPOINT ["node", "/app.js"]\n`,
    files: { "app.js": { text: app } },
    tag: `${repository}:${tag}`,
    task: noProgress.task(""),
  })
  const serveraddress = repository.split("/")[0] ?? ""
  const image = docker.getImage(`${repository}:${tag}`)
  const pushed = await image.push({ tag, authconfig: { username: "", password: "", serveraddress } })
  let digest = ""
  await followStream(pushed, (event) => (digest = event.aux?.Digest ?? digest))
  // What it was built from others may be building on at this moment.
  await image.remove({ force: true, noprune: true })
  return digest
}
