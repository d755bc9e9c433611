import { execa } from "execa"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { expect, it } from "vitest"

const built = pathToFileURL(resolve("build/core/within.js")).href
const never = "within(200, undefined, () => new Promise(() => {})).catch((error) => console.log(error.code))"
const unheld = "holding(() => new Promise((done) => setTimeout(done, 200).unref())).then(() => console.log('there'))"

it.each([
  ["within", never, "ETIMEDOUT"],
  ["holding", unheld, "there"],
])("%s holds a process that has nothing else to wait for", async (name, work, said) => {
  const script = `import { ${name} } from "${built}"; await ${work}`
  const { stdout } = await execa("node", ["--input-type=module", "-e", script])
  expect(stdout).toBe(said)
})
