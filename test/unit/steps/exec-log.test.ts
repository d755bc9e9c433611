import { describe, expect, it } from "vitest"
import { execLogReader, followBuild, followExec } from "../../../steps/exec-log.js"

// As Dagger 0.21.8 writes it with DAGGER_PROGRESS=plain, cut from a real session.
const log = `
60  : container: Container!
60  : container CACHED [0.0s]

63  : withExec sh /gantry/catalog.unit-tests
63  : [0.1s] | err 1
63  : [0.1s] | line 1

64  : Container.exitCode: Int!

70  : withExec sh /gantry/catalog.unit-tests-slow
70  : [0.0s] | of another step
17  : Directory.dockerBuild(secrets: [xxh3:cd107ff973c27591]): Container!
31  : ┆ withExec /bin/sh -c 'echo [1.0s] | not ours'
31  : ┆ [1.4s] | 219597 /run/secrets/ca.pem

63  : withExec sh /gantry/catalog.unit-tests
63  : [1m2.1s] |   indented | with a bar
63  : [1m2.2s] |
63  : withExec DONE [63.1s]
`

function follow(text: string, size: number): string[] {
  const lines: string[] = []
  const stop = followExec("/gantry/catalog.unit-tests", (line) => lines.push(line))
  try {
    const read = execLogReader()
    for (let at = 0; at < text.length; at += size) read(text.slice(at, at + size))
  } finally {
    stop()
  }
  return lines
}

describe("the engine's progress log", () => {
  it.each([1, 7, 10_000])("gives the lines of a step's own command, read in pieces of %i characters", (size) => {
    expect(follow(log, size)).toEqual(["err 1", "line 1", "  indented | with a bar", ""])
  })

  it("gives nothing when nobody follows any more", () => {
    const lines: string[] = []
    followExec("/gantry/a", (line) => lines.push(line))()
    execLogReader()("1 : withExec sh /gantry/a\n1 : [0.1s] | x\n")
    expect(lines).toEqual([])
  })
})

it("gives late lines of a command that has ended to nobody who runs the same command after it", () => {
  const read = execLogReader()
  const first: string[] = []
  const stop = followExec("/gantry/a", (line) => first.push(line))
  read("1 : withExec sh /gantry/a\n1 : [0.1s] | x\n")
  stop()
  const second: string[] = []
  const stopSecond = followExec("/gantry/a", (line) => second.push(line))
  read("1 : withExec sh /gantry/a\n1 : [0.2s] | late\n2 : withExec sh /gantry/a\n2 : [0.1s] | y\n")
  stopSecond()
  expect([first, second]).toEqual([["x"], ["y"]])
})

describe("the progress log of a build", () => {
  const dockerfile = `FROM maven AS build
RUN --mount=type=cache,target=/root/.m2 \\
    --mount=type=secret,id=ca,target=/run/secrets/ca.pem \\
    sh build/mvn.sh   package -DskipTests
RUN echo "quoted" && true
RUN ["exec", "form"]
`
  const buildLog = `
17  : ┆ Directory.dockerBuild(dockerfile: "Dockerfile"): Container!
58  : ┆ ┆ withExec /bin/sh -c 'sh build/mvn.sh package -DskipTests'
58  : ┆ ┆ [5.7s] | [INFO] Scanning for projects...
59  : ┆ ┆ withExec /bin/sh -c 'npm ci'
59  : ┆ ┆ [5.8s] | added 80 packages
60  : ┆ ┆ withExec /bin/sh -c 'echo "quoted" && true'
60  : ┆ ┆ [6.0s] | quoted
`

  it("gives the lines of the RUN commands of one Dockerfile", () => {
    const lines: string[] = []
    const stop = followBuild(dockerfile, (line) => lines.push(line))
    execLogReader()(buildLog)
    stop()
    expect(lines).toEqual(["[INFO] Scanning for projects...", "quoted"])
  })
})
