import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { stringify } from "yaml"
import { z } from "zod"
import { dockerClient, localImage, trivyReference } from "../../../engine/index.js"
import { runContainer } from "../../../engine/docker/run.js"
import { prometheusObjects } from "../../../environments/kubernetes/prometheus.js"
import { combinations } from "../../fakes/chart-values.js"
import { combination, engine, folderWith, makeTools } from "./rig.js"

const Report = z.object({
  Results: z
    .array(
      z.object({
        Target: z.string(),
        MisconfSummary: z.object({ Successes: z.number(), Failures: z.number() }),
        Misconfigurations: z.array(z.object({ ID: z.string(), Severity: z.string(), Message: z.string() })).default([]),
      }),
    )
    .default([]),
})

/** Trivy's own checks, over files of a folder. Its embedded checks: nothing is fetched. */
async function scan(folder: string) {
  const { name } = await localImage(engine, trivyReference)
  const ran = await runContainer(dockerClient(engine), {
    image: name,
    entrypoint: ["sh", "-c"],
    // Standard output alone is the report.
    command: [
      'exec trivy "$@" 2>/dev/null',
      "trivy",
      "config",
      "--quiet",
      "--skip-check-update",
      "--skip-version-check",
    ].concat(["--disable-telemetry", "--config-data=/work/data", "--format=json", "/work/objects"]),
    binds: [`${folder}:/work:ro`],
    network: "none",
  })
  expect(ran.exitCode, ran.output).toBe(0)
  return Report.parse(JSON.parse(ran.output)).Results
}

/** The registries that this project trusts: by default Trivy knows those of three clouds. */
const data = 'ksv0125:\n  trusted_registries: ["127.0.0.1:5000", "docker.io", "registry.k8s.io"]\n'

beforeAll(makeTools)

describe("Trivy's misconfiguration scan", () => {
  it("finds nothing above LOW in anything that the chart renders", async () => {
    const folder = await folderWith({ "data/registries.yaml": data, "objects/.keep": "" })
    const all = Object.keys(combinations)
    for (const [index, name] of all.entries()) {
      const objects = await combination(name)
      const text = objects.map((object) => stringify(object, { aliasDuplicateObjects: false })).join("---\n")
      await writeFile(join(folder, "objects", `${index}.yaml`), text)
    }
    const results = await scan(folder)
    expect(results).toHaveLength(all.length)
    for (const result of results) expect(result.MisconfSummary.Successes).toBeGreaterThan(50)
    const found = results.flatMap((r) =>
      r.Misconfigurations.filter((m) => m.Severity !== "LOW").map(
        (m) => `${all[Number.parseInt(r.Target)] ?? r.Target}: ${m.Severity} ${m.ID} ${m.Message}`,
      ),
    )
    expect(found).toEqual([])
  })

  it("finds nothing above LOW in the Prometheus of an environment", async () => {
    const image = `127.0.0.1:5000/prom/prometheus@sha256:${"a".repeat(64)}`
    const place = { namespace: "shop-test", project: "shop", environment: "test", apiServers: [], apiPorts: [] }
    const objects = prometheusObjects({ ...place, image })
    const text = objects.map((object) => stringify(object, { aliasDuplicateObjects: false })).join("---\n")
    const results = await scan(await folderWith({ "data/registries.yaml": data, "objects/prometheus.yaml": text }))
    expect(results.map((r) => r.MisconfSummary.Successes > 50)).toEqual([true])
    expect(results.flatMap((r) => r.Misconfigurations.filter((m) => m.Severity !== "LOW"))).toEqual([])
  })

  it("would find it: a pod as people write them", async () => {
    const pod =
      "apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec: { containers: [{ name: a, image: docker.io/a:latest }] }\n"
    const folder = await folderWith({ "data/registries.yaml": data, "objects/pod.yaml": pod })
    const severities = (await scan(folder)).flatMap((r) => r.Misconfigurations.map((m) => m.Severity))
    expect(severities).toContain("HIGH")
    expect(severities).toContain("MEDIUM")
  })
})
