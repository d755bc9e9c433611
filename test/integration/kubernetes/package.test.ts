import { createHash } from "node:crypto"
import { cp, readFile, utimes, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { repositoryClient } from "../../../clients/registry/index.js"
import { packageChart, pushChart } from "../../../environments/kubernetes/package.js"
import { chartFolder, withScratch } from "../../../environments/kubernetes/render.js"
import { fakeRegistry } from "../../fakes/registry.js"
import { folderWith, makeTools, tools } from "./rig.js"

const client = (url: string) => repositoryClient({ url, policy: { attempts: 1 } }, "shop/charts/gantry-service")

beforeAll(makeTools)

describe("the chart as an OCI artifact", () => {
  it("is the same bytes from the same files, whenever and wherever they were written", async () => {
    const folder = await folderWith({})
    await cp(chartFolder(), folder, { recursive: true })
    await utimes(join(folder, "values.yaml"), new Date(0), new Date(0))
    const [a, b] = [await packageChart(), await packageChart(folder)]
    expect(b.digest).toBe(a.digest)
    expect(Buffer.compare(Buffer.from(a.archive), Buffer.from(b.archive))).toBe(0)
    await writeFile(join(folder, "values.yaml"), "# other\n", { flag: "a" })
    const changed = await packageChart(folder)
    expect(changed.digest).not.toBe(a.digest)
    expect(changed.content).not.toBe(a.content)
  })

  it("is pushed once, with the media types of Helm; the second time nothing is sent", async () => {
    const registry = await fakeRegistry()
    const chart = await packageChart()
    await expect(pushChart(client(registry.url), chart)).resolves.toEqual({ digest: chart.digest, pushed: true })
    const stored = registry.manifests.get(`shop/charts/gantry-service:${chart.version}`)
    expect(stored?.mediaType).toBe("application/vnd.oci.image.manifest.v1+json")
    const manifest = JSON.parse(stored?.bytes.toString("utf8") ?? "") as {
      config: { mediaType: string }
      layers: { mediaType: string; digest: string }[]
    }
    expect(manifest.config.mediaType).toBe("application/vnd.cncf.helm.config.v1+json")
    expect(manifest.layers).toHaveLength(1)
    expect(manifest.layers[0]).toMatchObject({
      mediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
      digest: `sha256:${createHash("sha256").update(chart.archive).digest("hex")}`,
    })

    const before = registry.requests.length
    await expect(pushChart(client(registry.url), chart)).resolves.toEqual({ digest: chart.digest, pushed: false })
    expect(registry.requests.slice(before).filter((r) => !/^(GET|HEAD) /.test(r))).toEqual([])
  })

  it("a version names one chart: another one under it is refused, but where a version is worked on", async () => {
    const registry = await fakeRegistry()
    const folder = await folderWith({})
    await cp(chartFolder(), folder, { recursive: true })
    await pushChart(client(registry.url), await packageChart(folder))
    await writeFile(join(folder, "README.md"), "other\n")
    const other = await packageChart(folder)
    await expect(pushChart(client(registry.url), other)).rejects.toMatchObject({
      code: "CHART-VERSION",
      kind: "failed",
    })
    await expect(pushChart(client(registry.url), other, { replace: true })).resolves.toMatchObject({ pushed: true })
  })

  it("Helm takes the archive for the chart that it is", async () => {
    const chart = await packageChart()
    const helm = await tools.helm()
    const said = await withScratch(async (scratch) => {
      await writeFile(join(scratch, "chart.tgz"), chart.archive)
      const shown = await helm.run(["show", "all", join(scratch, "chart.tgz")], { scratch })
      expect(shown).toMatchObject({ exitCode: 0 })
      return shown.stdout
    })
    expect(said).toContain(`version: ${chart.version}`)
    expect(said).toContain(await readFile(join(chartFolder(), "values.yaml"), "utf8"))
  })
})
