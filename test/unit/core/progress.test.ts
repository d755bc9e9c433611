import { expect, it } from "vitest"
import { noProgress } from "../../../core/progress.js"

it("noProgress takes everything and says nothing", () => {
  const task = noProgress.task("build", { expectedSeconds: 3 })
  expect(() => {
    task.update("half", 0.5)
    task.log("line")
    task.done()
    task.fail(new Error("x"))
  }).not.toThrow()
})
