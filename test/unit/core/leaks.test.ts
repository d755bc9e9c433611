import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { retry } from "../../../core/decorators.js"
import { fault } from "../../../core/errors.js"
import { pipeline } from "../../../core/pipeline.js"
import { step } from "../../../core/step.js"
import { runPipeline, temporaryProject } from "./rig.js"

const password = "p@ss/w0rd+&=\"'<länger>"
const generated = "squ_7f3a9c2e5b8d1f4a6c9e"
const encoded = (value: string) => [
  value,
  encodeURIComponent(value),
  new URLSearchParams({ v: value }).toString().slice(2),
  JSON.stringify(value).slice(1, -1),
  ...["", "u", "us"].map((before) => Buffer.from(`${before}${value}:`).toString("base64")),
]
/** What must not be seen of such a text: of base64 the part that no neighbour has a share in. */
const core = (text: string) => (text.endsWith("=") || /^[\w+/]{30,}$/.test(text) ? text.slice(4, -4) : text)

/** Every file below a folder, with its text. */
async function files(dir: string): Promise<readonly { name: string; text: string }[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  const paths = entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name))
  return Promise.all(paths.map(async (name) => ({ name, text: await readFile(name, "utf8") })))
}

describe("secrets", () => {
  it("are in nothing that a run leaves or tells", async () => {
    const project = await temporaryProject()
    const all = encoded(password)
    const talkative = step("talkative", {
      engine: false,
      secrets: ["DB_PASSWORD"],
      output: z.object({ url: z.string(), list: z.array(z.string()), by: z.record(z.string(), z.number()) }),
      async run({ secrets, log, publish, mask }) {
        const value = secrets.DB_PASSWORD.plaintext()
        // In pieces of every size, as a tool's output comes.
        for (let size = 1; size < 9; size++) {
          const text = `connecting as root:${value} or ${all.join(" ")}\n`
          for (let i = 0; i < text.length; i += size) log.write(text.slice(i, i + size))
        }
        log.info(`info ${value}`)
        log.warn(`warn ${Buffer.from(`root:${value}`).toString("base64")}`)
        mask(generated)
        log.write(`token ${generated.slice(0, 9)}`)
        log.write(`${generated.slice(9)}\n`)
        publish({ kind: "link", title: value, url: `http://root:${encodeURIComponent(value)}@db?t=${generated}` })
        return { url: `mysql://root:${encodeURIComponent(value)}@db`, list: [...all, generated], by: { [value]: 1 } }
      },
    })
    const failing = retry(
      step("failing", {
        engine: false,
        secrets: ["DB_PASSWORD"],
        run: ({ secrets, attempt }) => {
          const value = secrets.DB_PASSWORD.plaintext()
          const message = `cannot log in with ${value}`
          if (attempt === 1) throw new Error(message, { cause: new Error(value) })
          throw fault({ code: "DB-LOGIN", kind: "errored", message, reason: all.join(" "), hint: `mysql -p${value}` })
        },
      }),
      { attempts: 2, backoff: 1 },
    )
    const effect = step("effect", {
      engine: false,
      secrets: ["DB_PASSWORD"],
      effect: { key: () => `login:${password}`, retry: { attempts: 1 }, reconcile: "repeat" },
      run: () => Promise.reject(new TypeError(`in a stack: ${password}`)),
    })
    const { events, record } = await runPipeline(pipeline("p", { targets: [talkative, failing, effect] }), {
      project,
      env: { DB_PASSWORD: password },
      facts: { branch: `feature/${password}` },
    })
    expect(record.steps.map((s) => s.status)).toEqual(["success", "errored", "errored"])
    const told = [
      { name: "events", text: JSON.stringify(events) },
      { name: "record", text: JSON.stringify(record) },
    ]
    const written = await files(project)
    expect(
      written.map((f) => f.name.slice(project.length).replace(/\d{8}-\d{6}-\w{4}|[0-9a-f]{64}/, "*")).sort(),
    ).toEqual([
      "/.gantry/cache/talkative/*.json",
      "/.gantry/runs/*/events.ndjson",
      "/.gantry/runs/*/run.json",
      "/.gantry/runs/*/steps/effect/result.json",
      "/.gantry/runs/*/steps/failing/result.json",
      "/.gantry/runs/*/steps/talkative/log.txt",
      "/.gantry/runs/*/steps/talkative/result.json",
    ])
    for (const { name, text } of [...told, ...written]) {
      expect({ name, masked: text.includes("***") }).toEqual({ name, masked: true })
      for (const secret of [...all.map(core), generated, "länger", "squ_7f3a9"]) {
        expect({ name, secret, leaked: text.includes(secret) }).toEqual({ name, secret, leaked: false })
      }
    }
  })

  it("that are ordinary words do not break the record", async () => {
    // Bad passwords; the names of steps, states and fields hold them.
    const env = { A: "test", B: "success", C: "step", D: "pure", E: "failed", F: "true" }
    const test = step("test", { engine: false, secrets: ["A", "B", "C", "D", "E", "F"], run: () => Promise.resolve() })
    const behind = step("behind-test", {
      engine: false,
      after: [test],
      run: () => Promise.reject(fault({ code: "STEP-FAILED", kind: "failed", message: "test failed" })),
    })
    const { record, statuses } = await runPipeline(pipeline("test", { targets: [behind] }), { env })
    expect(record).toMatchObject({ status: "failed", pipeline: "test" })
    expect(statuses).toEqual({ test: "success", "behind-test": "failed" })
    expect(record.steps[1]?.error).toEqual({ code: "STEP-FAILED", kind: "failed", message: "*** ***" })
  })
})
