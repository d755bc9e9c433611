import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { publint } from "publint"
import { formatMessage } from "publint/utils"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { repository } from "../../unit/cli/built.js"
import { installPacked, type Installed, type Result } from "./install.js"

let shop: Installed
let init: Result
beforeAll(async () => {
  shop = await installPacked()
  await shop.write({
    "svc/Dockerfile": 'FROM debian:trixie-slim\nEXPOSE 8080\nUSER 1000\nCMD ["sleep", "1"]\n',
    "svc/package.json": "{}",
    "pipelines/greet.ts": greet,
    "pipelines/contained.ts": contained,
    "tsconfig.json": JSON.stringify({
      compilerOptions: {
        module: "NodeNext",
        target: "ES2023",
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        noEmit: true,
        types: [],
        skipLibCheck: true,
      },
      include: ["*.ts", "pipelines"],
    }),
  })
  init = await shop.run("npx", ["gantry", "init", "svc"])
  const text = await readFile(join(shop.dir, "gantry.config.ts"), "utf8")
  await shop.write({
    "gantry.config.ts": text
      .replace(
        "import first",
        'import contained from "./pipelines/contained.js"\nimport greet from "./pipelines/greet.js"\nimport first',
      )
      .replace("pipelines: { first }", "pipelines: { first, greet, contained }"),
  })
  await shop.commit()
})
afterAll(() => shop.dispose())

/** The pipeline that somebody writes by hand: ten lines, with a step of its own. */
const greet = `import { pipeline, step } from "gantry-ci"
import { checkout, type Settings } from "gantry-ci/steps"

export default function greet(settings: Settings) {
  const source = checkout(settings)
  const hello = step("hello", { needs: { source }, engine: false, run: async ({ needs, log }) => log.info(\`delivers \${needs.source.subject}\`) })
  return pipeline("greet", { targets: [hello] })
}
`
/** The same with a container of the Dagger engine. */
const contained = `import { pipeline, step } from "gantry-ci"
import { resolveImage } from "gantry-ci/engine"
import type { Settings } from "gantry-ci/steps"

export default function contained(settings: Settings) {
  const release = step("release", { cache: false, run: async ({ dag, log, signal }) => {
    const { reference } = await resolveImage(settings.engine, "debian:trixie-slim", { signal })
    log.info("inside is " + (await dag.container().from(reference).withExec(["grep", "^PRETTY_NAME", "/etc/os-release"]).stdout()))
  } })
  return pipeline("contained", { targets: [release] })
}
`

describe("the package", () => {
  it("holds what is needed at run time, and nothing of the workshop", () => {
    const { files } = shop
    for (const needed of [
      "dist/cli/main.js",
      "dist/core/index.d.ts",
      "engine/modules/dagger/go.mod",
      "engine/modules/dagger/go.sum",
      "engine/modules/trivy/mkdb/main.go",
      "engine/modules/helm/go.mod",
      "engine/modules/kustomize/go.sum",
      "engine/recipes/trivy-advisories.json",
      "environments/kubernetes/chart/.helmignore",
      "environments/kubernetes/chart/Chart.yaml",
      "environments/kubernetes/chart/values.schema.json",
      "environments/kubernetes/chart/templates/_helpers.tpl",
      "schema/run.schema.json",
      "LICENSE",
      "README.md",
    ]) {
      expect(files).toContain(needed)
    }
    const odd = files.filter(
      (file) =>
        !/^(dist|engine\/modules|engine\/recipes|environments\/kubernetes\/chart|schema|docs)\/|^[A-Z]+\.md$|^LICENSE$|^package\.json$/.test(
          file,
        ),
    )
    expect(odd).toEqual([])
    expect(
      files.filter(
        (file) => /test|\.tsbuildinfo|demo|examples|(?<!\.d)\.ts$/.test(file) && !file.startsWith("dist/steps/tests/"),
      ),
    ).toEqual([])
  })

  it("every file that the sources read at run time is there", async () => {
    // Recipes, modules and the chart are found from the folder of the package.
    let read = 0
    for (const file of shop.files.filter((name) => /^dist\/.*\.js$/.test(name))) {
      const text = await readFile(join(repository, file), "utf8")
      for (const [, path = ""] of text.matchAll(/join\(packageRoot\(\), ((?:"[^"]+"(?:, )?)+)\)/g)) {
        const wanted = [...path.matchAll(/"([^"]+)"/g)].map(([, part]) => part).join("/")
        expect(
          shop.files.some((name) => name === wanted || name.startsWith(`${wanted}/`)),
          wanted,
        ).toBe(true)
        read += 1
      }
    }
    expect(read).toBeGreaterThan(2)
  })

  it("is without fault for publint", async () => {
    const pkgDir = join(shop.dir, "node_modules/gantry-ci")
    const { messages, pkg } = await publint({ pkgDir, pack: false, strict: true })
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  })

  it("shows its public entries, and nothing else", async () => {
    const { exports } = JSON.parse(await readFile(join(repository, "package.json"), "utf8")) as {
      exports: Record<string, unknown>
    }
    const entries = Object.keys(exports).filter((entry) => !entry.endsWith(".json"))
    const load = (name: string) =>
      shop.run("node", ["--input-type=module", "-e", `console.log(Object.keys(await import("${name}")).length)`])
    for (const entry of entries) {
      const { exitCode, stdout, stderr } = await load(join("gantry-ci", entry))
      expect({ entry, exitCode, stderr }).toMatchObject({ exitCode: 0 })
      expect(Number(stdout), entry).toBeGreaterThan(0)
    }
    for (const hidden of [
      "gantry-ci/core/step.js",
      "gantry-ci/dist/core/index.js",
      "gantry-ci/cli",
      "gantry-ci/approvals",
    ]) {
      expect((await load(hidden)).stderr, hidden).toContain("ERR_PACKAGE_PATH_NOT_EXPORTED")
    }
  })
})

describe("in an empty repository elsewhere", () => {
  it("init, plan, and a pipeline written by hand", async () => {
    expect({ code: init.exitCode, stderr: init.stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("written  gantry.config.ts") as string,
    })
    const plan = await shop.run("npx", ["gantry", "plan", "first"])
    expect(plan).toMatchObject({ exitCode: 0, stderr: "" })
    expect(plan.stdout).toMatch(/checkout[^]*hello[^]*svc\.image[^]*svc\.trivy/)

    const run = await shop.run("npx", ["gantry", "run", "greet"])
    expect(run).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("delivers A version") as string })
    const record = JSON.parse((await shop.run("npx", ["gantry", "show", "last", "--json"])).stdout) as object
    expect(record).toMatchObject({ schema: 1, pipeline: "greet", status: "success" })
  })

  it("runs a step in a container of the engine", async () => {
    const run = await shop.run("npx", ["gantry", "run", "contained"])
    expect(run).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/inside is PRETTY_NAME="Debian/) as string })
  })

  it("has one copy of the package for the command and the configuration, also when the command comes from elsewhere", async () => {
    await shop.write({
      "copies/gantry.config.ts": `import { step } from "gantry-ci"
import { defineConfig } from "gantry-ci/config"
import { pathToFileURL } from "node:url"
const running = await import(pathToFileURL(process.argv[1].replace(/cli[\\\\/]main\\.js$/, "core/index.js")).href)
export default defineConfig({ project: running.step === step ? "one-copy" : "two-copies", services: ["nowhere-" + (running.step === step)] })
`,
    })
    const own = join(shop.dir, "node_modules/gantry-ci/dist/cli/main.js")
    for (const command of [own, join(repository, "dist/cli/main.js")]) {
      const { stderr } = await shop.run("node", [command, "-C", "copies", "plan", "delivery"])
      expect(stderr).toContain("nowhere-true/gantry.service.yaml is not there")
    }
  })

  it("type-checks strictly, and does not where an undeclared need is read", async () => {
    const tsc = (project: string) =>
      shop.run("node", [join(repository, "node_modules/typescript/bin/tsc"), "-p", project])
    expect(await tsc("tsconfig.json")).toMatchObject({ exitCode: 0, stdout: "" })
    await shop.write({
      "wrong/pipeline.ts": greet
        .replace("needs.source.subject", "needs.sources.subject")
        .replace("log.info(", "log.inform("),
      "wrong/config.ts": `import { defineConfig } from "gantry-ci/config"\nexport default defineConfig({ project: "x", sevices: [] })\n`,
      "wrong/effect.ts": `import { step } from "gantry-ci"\nexport default step("x", { effect: { key: () => "x" }, run: async () => {} })\n`,
      "wrong/tsconfig.json": JSON.stringify({ extends: "../tsconfig.json", include: ["*.ts"] }),
    })
    const { exitCode, stdout } = await tsc("wrong/tsconfig.json")
    expect(exitCode).not.toBe(0)
    expect(stdout).toMatch(/pipeline\.ts\(6,\d+\): error TS2551: Property 'sources' does not exist/)
    expect(stdout).toMatch(/pipeline\.ts\(6,\d+\): error TS\d+: Property 'inform' does not exist/)
    expect(stdout).toMatch(/config\.ts\(2,\d+\): error TS\d+: .*'sevices'/)
    expect(stdout).toMatch(/effect\.ts\(2,\d+\): error TS/)
  })
})
