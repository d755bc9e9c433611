import { mkdir, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { describe, expect, it } from "vitest"
import { findProject, loadProject, selectServices } from "../../../config/index.js"
import type { Fault } from "../../../core/errors.js"
import { temporaryProject } from "../core/rig.js"

async function project(files: Record<string, string>): Promise<string> {
  const root = await temporaryProject()
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), text)
  }
  return root
}
const config = (body: string) => ({ "gantry.config.ts": `export default {\n  project: "shop",\n${body}\n}\n` })
const service = (name: string, more = "") =>
  `name: ${name}\ntoolchain: { image: "node:22" }\nbuild: {}\nhealth: {}\n${more}`
const failure = async (files: Record<string, string>): Promise<Fault> =>
  loadProject(await project(files)).then(
    () => expect.unreachable(),
    (error: unknown) => error as Fault,
  )

it("completes what a person wrote", async () => {
  const root = await project({
    ...config(`  services: ["svc/"], approvers: []`),
    "svc/gantry.service.yaml": service("svc"),
  })
  const { settings, pipelines } = await loadProject(root)
  expect(settings).toMatchObject({
    project: "shop",
    root,
    services: [{ name: "svc", path: "svc", build: { dockerfile: "Dockerfile", port: 8080 } }],
    environments: { test: { replicas: 2 }, uat: { profile: "uat" }, prod: { replicas: 3, approvals: { required: 1 } } },
  })
  expect(pipelines).toEqual({})
})

it("each service knows who calls it, also when only some are delivered", async () => {
  const root = await project({
    ...config(`  services: ["a", "b"],`),
    "a/gantry.service.yaml": service("a"),
    "b/gantry.service.yaml": service("b", "calls: [a]\n"),
  })
  const { settings } = await loadProject(root)
  expect(selectServices(settings, ["a"]).services).toMatchObject([{ name: "a", callers: ["b"] }])
})

it("may be a promise", async () => {
  const root = await project({ "gantry.config.ts": "export default Promise.resolve({ project: 'later' })\n" })
  expect((await loadProject(root)).settings.project).toBe("later")
})

it("is found from any folder below it", async () => {
  const root = await project({ ...config(""), "a/b/c.txt": "" })
  expect(await findProject(join(root, "a/b"))).toBe(root)
  await expect(findProject(dirname(root))).rejects.toMatchObject({
    code: "CONFIG-MISSING",
    hint: expect.stringContaining("gantry init") as string,
  })
})

it("what a service brings itself stands for its database, too", async () => {
  const files = {
    ...config(
      `  services: ["svc"], environments: {\n    test: { target: "kubernetes", kubernetes: { services: { svc: { own: { kind: "manifests", path: "k8s" } } } } } }`,
    ),
    "svc/gantry.service.yaml": service("svc", "database: mariadb\nmigrations: { run: migrate }\n"),
  }
  expect(await failure(files)).toMatchObject({
    code: "CONFIG-INVALID",
    message: expect.stringMatching(
      /^gantry\.config\.ts:4: environments\.test\.kubernetes\.services\.svc\.own: svc declares `database` and `migrations`/,
    ) as string,
  })
})

describe("gantry.config.ts: an error names file, line and field", () => {
  it.each([
    [`  sevices: ["a"],`, 'gantry.config.ts:3: sevices: there is no such field; did you mean "services"?'],
    [`  zzz: 1,`, /gantry\.config\.ts:3: zzz: there is no such field; fields are: project, services/],
    [`  environments: { test: { replica: 2 } },`, 'gantry.config.ts:3: environments.test.replica: there is no such field; did you mean "replicas"?'],
    [`  environments: {\n    test: {},\n    Prod: {} },`, /gantry\.config\.ts:5: environments\.Prod: not a name: lower-case letters/],
    [`  environments: { test: { replicas: 0 } },`, /^gantry\.config\.ts:3: environments\.test\.replicas: Too small/],
    [`  environments: { test: {\n strategy: { kind: "big-bang" } } },`, /^gantry\.config\.ts:4: environments\.test\.strategy\.kind: Invalid/],
    [`  environments: { test: {\n strategy: { kind: "rolling", maxSurg: 0 } } },`, /^gantry\.config\.ts:4: .*strategy\.maxSurg: there is no such field; did you mean "maxSurge"/],
    [`  approvers: [{ name: "A", email: "a@x.example" },\n    { name: "B", email: "b" }],`, /^gantry\.config\.ts:4: approvers\[1\]\.email: Invalid email/],
    [`  approvers: [\n { name: "B" }],`, "gantry.config.ts:4: approvers[0].email: is missing (string)"],
    [`  approvers: [{ name: "A", email: "a@x.example" },\n  { name: "a", email: "b@x.example" }],`, /^gantry\.config\.ts:4: approvers\[1\]: a <b@x\.example> is the person of approvers\[0\]/],
    [`  approvers: [{ name: "A", email: "a@x.example", publicKey: "x" }],`, /^gantry\.config\.ts:3: approvers\[0\]\.publicKey: not a public key/],
    [`  approvers: [{ name: "A", email: "a@x.example", role: "dba" }],\n  environments: { prod: { approvals: { roles: ["dbo"] } } },`, /^gantry\.config\.ts:4: environments\.prod\.approvals\.roles\[0\]: no approver has the role "dbo"; did you mean "dba"/],
    [`  approvers: [{ name: "A", email: "a@x.example" }],\n  environments: { prod: { approvals: { required: 2 } } },`, /^gantry\.config\.ts:4: environments\.prod\.approvals\.required: asks for 2 people, and 1 may approve/],
    [`  services: ["../other"],`, /^gantry\.config\.ts:3: services\[0\]: "\.\.\/other" is not a folder of the project/],
    [`  services: "a",`, /^gantry\.config\.ts:3: services: .*expected array/],
    [`  configRepo: "nope",`, "gantry.config.ts:3: configRepo: the folder nope is not there"],
    [`  environments: { test: { ports: { shop: 8080 } } },`, /^gantry\.config\.ts:3: environments\.test\.ports\.shop: there is no service "shop"/],
    [`  environments: {\n  test: { kubernetes: { services: { shop: {} } } } },`, /^gantry\.config\.ts:4: environments\.test\.kubernetes\.services\.shop: there is no service "shop"/],
    [`  environments: { test: { kubernetes: {\n contxt: "a" } } },`, /^gantry\.config\.ts:4: environments\.test\.kubernetes\.contxt: there is no such field; did you mean "context"/],
    [`  environments: { test: { target: "kubernets" } },`, /^gantry\.config\.ts:3: environments\.test\.target: Invalid option/],
    [`  pipelines: {\n  first: 3 },`, /^gantry\.config\.ts:4: pipelines\.first: must be a pipeline/],
    [`  engine: { ports: { registy: 1 } },`, /^gantry\.config\.ts:3: engine\.ports\.registy: there is no such field; did you mean "registry"/],
  ])("%s", async (body, message) => {
    const error = await failure(config(body))
    expect(error).toMatchObject({ code: "CONFIG-INVALID", kind: "usage" })
    if (typeof message === "string") expect(error.message).toBe(message)
    else expect(error.message).toMatch(message)
  }) // prettier-ignore

  it("tells all of them at once", async () => {
    const error = await failure(config(`  sevices: [],\n  configRepo: 3,`))
    expect(`${error.message}\n${error.reason}`).toMatch(/sevices/)
    expect(`${error.message}\n${error.reason}`).toMatch(/gantry\.config\.ts:4: configRepo/)
  })
  it("a missing field: the line of what it is missing in", async () => {
    const error = await failure({ "gantry.config.ts": "\nexport default {}\n" })
    expect(error.message).toBe("gantry.config.ts:2: project: is missing (string)")
  })
})

describe("gantry.config.ts that cannot be loaded", () => {
  it.each([
    ["broken TypeScript", "export default {\n  project: 'x',,\n}\n", /^gantry\.config\.ts:2:\d+: Unexpected token/],
    [
      "an exception",
      "const a: any = undefined\n\nexport default { p: a.b }\n",
      /^gantry\.config\.ts:3:\d+: Cannot read properties of undefined/,
    ],
    ["a missing module", "import x from './nope.ts'\nexport default x\n", /Cannot find module '\.\/nope\.ts'/],
    ["no default export", "export const project = 1\n", /has no default export/],
    ["nothing", "", /has no default export/],
    ["a text", "export default 'shop'\n", /default export of gantry\.config\.ts is of type string/],
    ["null", "export default null\n", /is null|has no default export/],
    ["something thrown that is no error", "throw 'oops'\n", /oops/],
  ])("%s", async (_, text, message) => {
    const error = await failure({ "gantry.config.ts": text })
    expect(error).toMatchObject({
      code: "CONFIG-LOAD",
      kind: "usage",
      message: expect.stringMatching(message) as string,
    })
  })
  it("an exception in a module of the project is told by its own place", async () => {
    const error = await failure({
      "gantry.config.ts": "import x from './pipelines/first.ts'\nexport default x\n",
      "pipelines/first.ts": "\nexport default { a: (1 as any).b.c }\n",
    })
    expect(error.message).toMatch(/^pipelines\/first\.ts:2:\d+: Cannot read/)
  })
  it("what a step has to say keeps its code and its advice", async () => {
    const step = join(import.meta.dirname, "../../../core/step.ts")
    const error = await failure({
      "gantry.config.ts": `import { step } from ${JSON.stringify(step)}\nexport default {\n  a: step("Not An Id", { run: async () => {} }) }\n`,
    })
    expect(error).toMatchObject({ code: "STEP-ID", hint: 'Rename it, e.g. to "not-an-id".' })
  })
})

describe("gantry.service.yaml: an error names file, line and field", () => {
  it.each([
    [service("Svc"), "svc/gantry.service.yaml:1: name: lower-case letters, digits and -"],
    [
      service("svc", "tests:\n  unti: {}\n"),
      'svc/gantry.service.yaml:6: tests.unti: there is no such field; did you mean "unit"?',
    ],
    [service("svc", "tests:\n  unit: { run: x }\n"), /^svc\/gantry\.service\.yaml:6: tests\.unit\.junit: is missing/],
    [service("svc", "database: oracle\n"), /^svc\/gantry\.service\.yaml:5: database: Invalid/],
    [service("svc", "a: [\n"), /^svc\/gantry\.service\.yaml:\d: /],
    [service("svc", "name: again\n"), /^svc\/gantry\.service\.yaml:5: Map keys must be unique/],
    ["name: x\n", /^svc\/gantry\.service\.yaml: toolchain: is missing/],
    ["", /^svc\/gantry\.service\.yaml: .*expected object/],
    ["a: *nope\n", /^svc\/gantry\.service\.yaml:.*alias/i],
  ])("%j", async (text, message) => {
    const error = await failure({ ...config(`  services: ["svc"],`), "svc/gantry.service.yaml": text })
    expect(error).toMatchObject({ code: "CONFIG-INVALID", kind: "usage" })
    if (typeof message === "string") expect(error.message).toBe(message)
    else expect(error.message).toMatch(message)
  })

  it("that is not there", async () => {
    expect(await failure(config(`  services: ["svc"],`))).toMatchObject({
      code: "SERVICE-MISSING",
      message: "svc/gantry.service.yaml is not there",
      hint: expect.stringContaining("gantry init svc") as string,
    })
  })
  it("of the same name twice, and a call to nobody", async () => {
    const two = { ...config(`  services: ["a", "b"],`), "a/gantry.service.yaml": service("one") }
    expect(await failure({ ...two, "b/gantry.service.yaml": service("one") })).toMatchObject({
      code: "SERVICE-DUPLICATE",
    })
    expect(await failure({ ...two, "b/gantry.service.yaml": service("two", "calls: [oen]\n") })).toMatchObject({
      code: "SERVICE-UNKNOWN",
      message: expect.stringContaining('no service "oen"') as string,
    })
  })
  it.each([
    ["prometheus", "On Kubernetes the environment's own Prometheus is called so in its namespace."],
    ["dependencies", "On Kubernetes what the services of an environment depend on is called so in its namespace."],
    ["web-preview", "On Kubernetes an object of the service web is called so in its namespace."],
  ])("called %s, as the environment or another service names its own", async (name, reason) => {
    const both = { ...config(`  services: ["a", "b"],`), "a/gantry.service.yaml": service("web") }
    expect(await failure({ ...both, "b/gantry.service.yaml": service(name) })).toMatchObject({
      code: "SERVICE-RESERVED",
      message: `b/gantry.service.yaml: name: no service can be called "${name}"`,
      reason,
    })
  })
})

it("an unknown service is answered with the nearest name", async () => {
  const root = await project({ ...config(`  services: ["svc"],`), "svc/gantry.service.yaml": service("catalog") })
  const { settings } = await loadProject(root)
  expect(selectServices(settings, ["catalog"]).services).toHaveLength(1)
  expect(selectServices(settings, undefined)).toBe(settings)
  expect(() => selectServices(settings, ["catlog"])).toThrow('There is no service "catlog"; did you mean "catalog"?')
})
