import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it, onTestFinished } from "vitest"
import { engineConfig } from "../../../../engine/config.js"
import { environment, memoryOf, releaseSpec, targetOf, type TargetName } from "../../../../environments/index.js"
import { engineContext } from "../../../../engine/context.js"
import { recordRelease } from "../../../../environments/history.js"
import { calledServices } from "../../../../steps/tests/called.js"

async function projectOn(target: TargetName) {
  const home = await mkdtemp(join(tmpdir(), "gantry-called-"))
  onTestFinished(() => rm(home, { recursive: true, force: true }))
  return {
    project: "shop",
    engine: engineConfig.parse({ home }),
    services: [{ name: "order", calls: ["catalog"] }, { name: "catalog" }],
    environments: {
      test: environment("test", { target, kubernetes: { kubeconfig: join(home, "nowhere") } }),
    },
  }
}
const order = { name: "order", calls: ["catalog"] }
const release = releaseSpec({
  service: "catalog",
  reference: `registry.example/shop/catalog@sha256:${"a".repeat(64)}`,
  digest: `sha256:${"a".repeat(64)}`,
  commit: "c0ffee",
  config: "{}\n",
  env: {},
  port: 8080,
  readiness: "/ready",
  startupSeconds: 30,
  calls: [],
  resources: {},
})

it("a called service has to be there, whoever delivered it", async () => {
  const project = await projectOn("docker")
  await expect(calledServices(project, order, "test")).rejects.toMatchObject({
    code: "ACCEPTANCE-NOT-DEPLOYED",
    kind: "failed",
    message: "catalog, which order calls, is not deployed in TEST",
  })
  const at = new Date().toISOString()
  await recordRelease(memoryOf(project, "test", "catalog").notes, { release, replicas: 1, at })
  const catalog = await targetOf({
    engine: engineContext(project.engine),
    project,
    environment: project.environments.test,
    service: "catalog",
  })
  expect(await calledServices(project, order, "test")).toEqual({ catalog: catalog.url })
  expect(catalog.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
})

it("is asked of the cluster where the environment is one", async () => {
  await expect(calledServices(await projectOn("kubernetes"), order, "test")).rejects.toMatchObject({
    code: "K8S-KUBECONFIG",
  })
})

it("who calls nobody asks nobody", async () => {
  expect(await calledServices(await projectOn("kubernetes"), { name: "catalog", calls: [] }, "test")).toEqual({})
})
