import { createWriteStream } from "node:fs"
import { join } from "node:path"
import { z } from "zod"
import { execute } from "../../../core/execute.js"
import { pipeline } from "../../../core/pipeline.js"
import { environmentSecrets } from "../../../core/secrets.js"
import { step, type AnyStep } from "../../../core/step.js"
import { openStore } from "../../../core/store.js"
import { engineConfig } from "../../../engine/config.js"
import { openSession, type Session } from "../../../engine/session/open.js"
import { containers, containerWork, sameWork } from "../work.js"

/** The same work as steps: two chains beside each other. Arguments: project folder, image, nonce, "cache" or "no-cache". */
const [project = "", image = "", nonce = "", cache = ""] = process.argv.slice(2)
const steps: AnyStep[] = []
for (let n = 0; n < containers; n++) {
  steps.push(
    step(`work-${n}`, {
      after: n < 2 ? [] : [steps[n - 2] as AnyStep],
      cache: cache === "cache" ? () => ({ image, nonce }) : false,
      output: z.string(),
      run: ({ dag }) => containerWork(dag, image, n, nonce),
    }),
  )
}
let session: Promise<Session> | undefined
const logs = createWriteStream(join(project, "engine.log"))
const record = await execute({
  store: openStore(project),
  project,
  pipeline: pipeline("work", { targets: steps }),
  selection: {},
  services: [],
  commit: "c0ffee",
  dirty: false,
  facts: {},
  secrets: environmentSecrets({}),
  session: {
    open: async () => (await (session ??= openSession(engineConfig.parse({}), { logs }))).dag,
    classify: () => undefined,
    close: () => Promise.resolve(),
  },
  concurrency: 2,
})
await (await session)?.close()
logs.end()
if (record.status !== "success") throw new Error(JSON.stringify(record.steps.map((s) => s.error)))
process.stdout.write(JSON.stringify({ distinct: sameWork(record.steps.map((s) => String(s.output))) }))
