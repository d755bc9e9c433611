import { z } from "zod"
import type { RepositoryClient } from "../../../clients/registry/index.js"
import { fault } from "../../../core/errors.js"
import { parseJson } from "../../../core/json.js"
import { tagOf } from "../package.js"
import type { Dependency } from "./settings.js"

export type PublishedChart = Pick<Extract<Dependency, { readonly kind: "oci" }>, "chart" | "version" | "digest">

/** Answers the packed chart. @throws DEPENDENCY-CHART, and those of the registry */
export type PullChart = (name: string, chart: PublishedChart) => Promise<Uint8Array>

/** https://helm.sh/community/hips/hip-0017 */
const content = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
const Manifest = z.looseObject({
  layers: z.array(z.looseObject({ mediaType: z.string(), digest: z.string() })),
})

/**
 * A chart from a registry, by its digest; the version is only compared, and told when it names another one by now.
 * @param clientOf a client for `host/path` of a chart
 */
export function chartPuller(clientOf: (chart: string) => RepositoryClient, tell: (line: string) => void): PullChart {
  return async (name, { chart, version, digest }) => {
    const client = clientOf(chart)
    const manifest = await client.manifest(digest)
    const tagged = await client.resolve(tagOf(version))
    if (manifest === undefined) {
      throw chartFault(
        name,
        `${chart} has no ${digest.slice(0, 19)}…${tagged === undefined ? `, and no version ${version}` : `; its version ${version} is ${tagged}`}`,
      )
    }
    if (tagged !== undefined && tagged !== digest) {
      tell(`${name}: ${chart} ${version} names ${tagged} by now; what is declared is brought, ${digest}`)
    }
    const { data } = Manifest.safeParse(parseJson(Buffer.from(manifest.bytes).toString("utf8")))
    const layer = data?.layers.find(({ mediaType }) => mediaType === content)
    if (layer === undefined) throw chartFault(name, `${chart}@${digest} is no chart of Helm`)
    return client.blob(layer)
  }
}

const chartFault = (name: string, reason: string) =>
  fault({
    code: "DEPENDENCY-CHART",
    kind: "failed",
    message: `The chart of ${name} is not there`,
    reason: `${reason}.`,
    hint: "helm pull oci://<chart> --version <version> prints the digest; mirror the chart to your Harbor, and name that.",
  })
