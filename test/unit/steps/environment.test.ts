import { describe, expect, it } from "vitest"
import { environmentNamed, environmentOf } from "../../../steps/environment.js"
import { settingsOf } from "../ci/settings.js"

describe("an environment by its name", () => {
  const project = settingsOf({}, { environments: { test: {}, prod: {} } })

  it("is found", () => {
    expect(environmentOf(project, "prod").name).toBe("prod")
    expect(environmentNamed(project, "prod").name).toBe("prod")
  })
  it.each(["prdo", "constructor"])("%s is none: the pipeline, or who typed it, is told so", (name) => {
    const unknown = (find: () => unknown, message: RegExp) =>
      expect(find).toThrow(
        expect.objectContaining({ code: "ENVIRONMENT-UNKNOWN", message: expect.stringMatching(message) as string }),
      )
    unknown(() => environmentOf(project, name), /^The pipeline deploys to /)
    unknown(() => environmentNamed(project, name), /^There is no environment /)
  })
})
