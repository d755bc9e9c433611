import { mkdir, rename, rm } from "node:fs/promises"
import { availableParallelism, totalmem } from "node:os"
import { join } from "node:path"
import { fault } from "../../core/errors.js"
import { packageRoot } from "../../core/package-root.js"
import { caEnvironment, caInContainer, proxyEnvironment } from "../ca.js"
import type { EngineContext } from "../context.js"
import { removeContainer, runContainer } from "../docker/run.js"
import { lastLines } from "../exec.js"
import { diskFull, exists, hashText, hashTree } from "../files.js"
import { withLock } from "../../core/lock.js"
import type { GoBuild } from "./recipe.js"

/** Public image of the Go toolchain; its recipe lets Debian's Go fetch the pinned version. */
export const goReference = "docker.io/library/golang:1.26-trixie"
/** The toolchain that every build uses, whichever image brings the first `go`: builds are then byte-reproducible. */
export const goToolchain = "go1.26.8"

/** Where the binaries of a build are kept, known before it is done: named by the hash of everything that goes in. */
export async function goBuildPath(home: string, build: GoBuild): Promise<string> {
  const inputs = [
    goToolchain,
    await hashTree(join(packageRoot(), build.module)),
    build.packages.join(" "),
    build.ldflags ?? "",
    (build.tags ?? []).join(","),
    JSON.stringify(Object.entries(build.env ?? {}).sort()),
    ...(build.prepare === undefined ? [] : [build.prepare.script, build.prepare.folder]),
  ]
  return join(home, "cache", "go", "out", hashText(inputs.join("\n")).slice(0, 24))
}

/** Two Go builds at once keep two cores busy; a third only takes memory. */
const mostBuilds = 2
let free = mostBuilds
const waiting: (() => void)[] = []
async function withSlot<T>(work: () => Promise<T>): Promise<T> {
  if (free > 0) free -= 1
  else await new Promise<void>((resolve) => waiting.push(resolve))
  try {
    return await work()
  } finally {
    // A slot that somebody waits for is handed over, never set free in between.
    const next = waiting.shift()
    if (next === undefined) free += 1
    else next()
  }
}

/**
 * Compilers write no tables for debuggers, which the linker would leave out (-s -w): a tenth less time. What the programs do is
 * the same, so it is not part of their name.
 */
const script = `set -e
cd /src
echo "gantry: modules"
go mod download
# The pinned toolchain itself from here on: an older one that would hand over to it does not know every GOEXPERIMENT.
PATH="$(go env GOROOT)/bin:$PATH"
for pair in $GANTRY_BUILD_ENV; do export "$pair"; done
if [ -n "$GANTRY_PREPARE" ]; then sh "./$GANTRY_PREPARE"; cd "$GANTRY_FOLDER"; fi
echo "gantry: total $(go list -deps "$@" | wc -l)"
exec go build -v -trimpath -gcflags all=-dwarf=false -o /out/ \${GANTRY_TAGS:+-tags "$GANTRY_TAGS"} -ldflags "$GANTRY_LDFLAGS" "$@"
`

/**
 * Builds Go programs in a container of the toolchain image and answers the folder that holds the binaries. Module and
 * build caches lie in the Gantry home, so an interrupted build carries on. Errors: SUPPLY-GO-BUILD, SUPPLY-DISK-FULL.
 */
export async function goBuild(context: EngineContext, image: () => Promise<string>, build: GoBuild): Promise<string> {
  const out = await goBuildPath(context.home, build)
  if (await exists(out)) return out
  return withLock(
    `${out}.lock`,
    `building ${build.title}`,
    async () => {
      if (await exists(out)) return out
      const toolchain = await image()
      return withSlot(() => compile(context, toolchain, build, out))
    },
    { signal: context.signal },
  )
}

async function compile(context: EngineContext, toolchain: string, build: GoBuild, out: string): Promise<string> {
  const task = context.progress.task(`Building ${build.title} from Go modules`, {
    expectedSeconds: build.expectedSeconds,
  })
  const cache = join(context.home, "cache", "go")
  const unfinished = `${out}.unfinished`
  const name = `${context.config.stack}-go-${out.slice(-12)}`
  try {
    await rm(unfinished, { recursive: true, force: true })
    for (const folder of [unfinished, join(cache, "mod"), join(cache, "build")])
      await mkdir(folder, { recursive: true })
    // A build whose client was killed may still run there.
    await removeContainer(context.docker, name)
    let total = 0
    let seen = 0
    const ran = await runContainer(context.docker, {
      image: toolchain,
      name,
      entrypoint: ["/bin/sh", "-c"],
      command: [script, "sh", ...build.packages],
      env: {
        ...goEnvironment(),
        ...proxyEnvironment(),
        ...(context.ca === undefined ? {} : caEnvironment()),
        GANTRY_TAGS: (build.tags ?? []).join(","),
        GANTRY_LDFLAGS: build.ldflags ?? "-s -w",
        GANTRY_PREPARE: build.prepare?.script ?? "",
        GANTRY_FOLDER: build.prepare?.folder ?? "",
        // Words without spaces, as Go's variables are.
        GANTRY_BUILD_ENV: Object.entries(build.env ?? {})
          .map(([name, value]) => `${name}=${value}`)
          .join(" "),
      },
      binds: [
        `${join(packageRoot(), build.module)}:/src:ro`,
        `${unfinished}:/out`,
        `${join(cache, "mod")}:/cache/mod`,
        `${join(cache, "build")}:/cache/build`,
        ...(context.ca === undefined ? [] : [`${context.ca}:${caInContainer}:ro`]),
      ],
      // What is kept in the home belongs to whom the home belongs to.
      user: `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`,
      cpuShares: 512,
      signal: context.signal,
      onLine: (line) => {
        const count = /^gantry: total (\d+)/.exec(line)
        if (count !== null) total = Number(count[1])
        else if (line.startsWith("gantry: modules")) task.update("downloading modules")
        else if (/^[\w.~-]+(\/[\w.~-]+)*$/.test(line)) {
          seen += 1
          task.update(`compiling ${line}`, total > 0 ? Math.min(seen / total, 0.99) : undefined)
        } else if (line.trim() !== "") task.log(line)
      },
    })
    if (ran.exitCode !== 0) {
      throw (
        diskFull(lastLines(ran.output, 30), cache) ??
        fault({
          code: "SUPPLY-GO-BUILD",
          kind: "errored",
          message: `${build.title} could not be built from Go modules`,
          reason: `exit code ${ran.exitCode}\n${lastLines(ran.output)}`,
          hint: "Check that the Go module proxy answers (GOPROXY names another one), then run the same command again: what was compiled is kept.",
        })
      )
    }
    await rename(unfinished, out)
    task.done()
    return out
  } catch (error) {
    task.fail(error)
    throw error
  }
}

function goEnvironment(): Record<string, string> {
  const env: Record<string, string> = {
    CGO_ENABLED: "0",
    GOFLAGS: "-mod=readonly",
    GOTOOLCHAIN: goToolchain,
    GOMODCACHE: "/cache/mod",
    GOCACHE: "/cache/build",
    GOPATH: "/tmp/go",
    HOME: "/tmp",
    GOTELEMETRY: "off",
    GOMAXPROCS: String(availableParallelism()),
    // Compilers that collect their garbage seldom take a sixth less time, as long as there is memory for all that run.
    GOGC: "400",
    GOMEMLIMIT: `${Math.round(totalmem() / 2 ** 20 / (mostBuilds * availableParallelism() * 2))}MiB`,
  }
  for (const name of ["GOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GONOPROXY", "GOINSECURE"]) {
    const value = process.env[name]
    if (value !== undefined && value !== "") env[name] = value
  }
  return env
}
