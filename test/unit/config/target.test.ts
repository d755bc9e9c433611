import { expect, it } from "vitest"
import { targeted, targetVariable } from "../../../config/target.js"
import { withDevelopment } from "../../../environments/development.js"
import { Environments, targetNames } from "../../../environments/environment.js"
import { targetsOf } from "../../../environments/targets/where.js"

const environments = Environments.parse({ test: {}, prod: { target: "kubernetes" } })
const of = (began: Record<string, string> | undefined, env: Record<string, string> = {}) => {
  const settings = targeted(environments, began, env)
  return targetsOf(withDevelopment(settings).environments)
}

it.each([
  ["as configured, and DEV on Docker", undefined, {}, { test: "docker", prod: "kubernetes", dev: "docker" }],
  [
    "an empty variable says nothing",
    undefined,
    { [targetVariable]: "" },
    { test: "docker", prod: "kubernetes", dev: "docker" },
  ],
  [
    "the variable, for all",
    undefined,
    { [targetVariable]: "kubernetes" },
    { test: "kubernetes", prod: "kubernetes", dev: "kubernetes" },
  ],
  [
    "the variable, back to Docker",
    undefined,
    { [targetVariable]: "docker" },
    { test: "docker", prod: "docker", dev: "docker" },
  ],
  [
    "where the run began, whatever the variable says",
    { test: "kubernetes", prod: "docker", dev: "kubernetes" },
    { [targetVariable]: "docker" },
    { test: "kubernetes", prod: "docker", dev: "kubernetes" },
  ],
  [
    "an environment that is new since is as configured",
    { test: "kubernetes" },
    {},
    { test: "kubernetes", prod: "kubernetes", dev: "docker" },
  ],
])("%s", (_, began, env, targets) => {
  expect(of(began, env)).toEqual(targets)
})

it("refuses what is no target, with the nearest one", () => {
  expect(() => of(undefined, { [targetVariable]: "kubernets" })).toThrow(
    expect.objectContaining({
      code: "TARGET-UNKNOWN",
      kind: "usage",
      message: 'There is no target "kubernets"; did you mean "kubernetes"?',
      hint: expect.stringContaining(targetNames.join(", ")) as string,
    }),
  )
})
