import { Readable } from "node:stream"
import type Docker from "dockerode"
import { describe, expect, it } from "vitest"
import { endOf } from "../../../../environments/docker/end.js"

const inspected = (ExitCode: number, OOMKilled: boolean) =>
  ({
    Id: "c1",
    State: { ExitCode, OOMKilled, StartedAt: "2026-11-11T00:00:00.4Z", FinishedAt: "2026-11-11T00:00:05.2Z" },
  }) as Docker.ContainerInspectInfo

/** A Docker that has these events of any container; says what it was asked. */
function dockerWith(events: readonly string[]) {
  const asked: unknown[] = []
  const getEvents = (options: unknown) => {
    asked.push(options)
    return Promise.resolve(Readable.from(events.map((e) => Buffer.from(e))))
  }
  return { docker: { getEvents } as unknown as Docker, asked }
}

describe("the end of a container", () => {
  it("is its exit code when nobody killed it, without a question to Docker", async () => {
    const { docker, asked } = dockerWith(["{}\n"])
    expect(await endOf(docker, inspected(7, false))).toEqual({ code: 7, outOfMemory: false })
    expect(asked).toEqual([])
  })

  it("is want of memory when Docker says so at once", async () => {
    const { docker, asked } = dockerWith([])
    expect(await endOf(docker, inspected(137, true))).toEqual({ code: 137, outOfMemory: true })
    expect(asked).toEqual([])
  })

  it("is want of memory when Docker only has it among its events, in the container's time and a little after", async () => {
    const { docker, asked } = dockerWith(['{"status":"oom"}\n'])
    expect(await endOf(docker, inspected(137, false))).toEqual({ code: 137, outOfMemory: true })
    const at = Date.parse("2026-11-11T00:00:00Z") / 1000
    expect(asked).toEqual([
      { since: at, until: at + 8, filters: { type: ["container"], container: ["c1"], event: ["oom"] } },
    ])
  })

  it("is a kill by somebody when Docker has no such event", async () => {
    const { docker } = dockerWith([])
    expect(await endOf(docker, inspected(137, false))).toEqual({ code: 137, outOfMemory: false })
  })
})
