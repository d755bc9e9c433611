import { expect, test } from "vitest"
import { createLog, withThread } from "../../src/log.js"

function capture(level) {
  const lines = []
  const now = () => new Date(2024, 0, 1, 12, 0, 0, 123)
  const logOf = createLog({ service: "service-catalog", instance: "catalog-001", level, write: (line) => lines.push(line), now })
  return { log: logOf("catalog.Products"), lines }
}

test("a line has the form of the log standard", () => {
  const { log, lines } = capture("INFO")
  withThread("http-42", () => log.info("Product A created"))
  expect(lines).toEqual([
    "[2024-01-01 12:00:00.123] [INFO] [service-catalog] [catalog-001] [http-42] [catalog.Products] - Product A created\n",
  ])
})

test("lines below the level are left out", () => {
  const { log, lines } = capture("WARN")
  log.debug("no")
  log.info("no")
  log.warn("yes")
  log.error("yes")
  expect(lines).toHaveLength(2)
})

test("a text with line breaks cannot forge a line; a stack follows indented", () => {
  const { log, lines } = capture("INFO")
  log.error("bad\n[2024] forged", new Error("boom"))
  const [first, second] = lines[0].split("\n")
  expect(first).toMatch(/\[main\] \[catalog\.Products\] - bad\\n\[2024\] forged$/)
  expect(second).toBe("\tError: boom")
})
