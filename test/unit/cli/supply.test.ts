import { describe, expect, it } from "vitest"
import { wantedImages, wantedTools } from "../../../cli/supply.js"
import { loadProject } from "../../../config/index.js"
import { balancerImage, prometheusImage } from "../../../environments/index.js"
import { makeProject } from "./rig.js"

const service = `name: web\ntoolchain: { image: "node:22" }\nbuild: {}\nhealth: {}\n`
const settingsOf = async (environments: string) => {
  const { dir } = await makeProject({
    "gantry.config.ts": `export default { project: "shop", services: ["web"], environments: ${environments} }\n`,
    "web/gantry.service.yaml": service,
    "web/Dockerfile": "FROM scratch\n",
  })
  return (await loadProject(dir, { env: {} })).settings
}

describe("what a project's stack is to have", () => {
  it("on the Docker Engine: a balancer, and no program that renders", async () => {
    const settings = await settingsOf("{ test: {} }")
    expect(await wantedImages(settings)).toContain(balancerImage)
    expect(await wantedImages(settings)).not.toContain(prometheusImage)
    expect(wantedTools(settings)).toEqual([])
  })

  it("on a cluster: Helm, no balancer, and what pods are pulled from", async () => {
    const settings = await settingsOf(`{ test: { target: "kubernetes", metrics: true } }`)
    expect(await wantedImages(settings)).not.toContain(balancerImage)
    expect(await wantedImages(settings)).toContain(prometheusImage)
    expect(wantedTools(settings)).toEqual(["helm"])
  })

  it("with an overlay of a service's own: Kustomize as well, where the environment is on a cluster", async () => {
    const own = `kubernetes: { services: { web: { own: { kind: "kustomize", path: "k8s" } } } }`
    expect(wantedTools(await settingsOf(`{ test: { target: "kubernetes", ${own} } }`))).toEqual(["helm", "kustomize"])
    expect(wantedTools(await settingsOf(`{ test: { ${own} } }`))).toEqual([])
  })
})
