import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { z } from "zod"
import { fault } from "../../core/errors.js"
import { packageRoot } from "../../core/package-root.js"
import { helmTool, kustomizeTool, type ContextOptions, type EngineConfig, type Tool } from "../../engine/index.js"
import type { KubernetesObject } from "./object.js"
import { ChartValues, type ChartInput } from "./values.js"
import { parseObjects } from "./yaml.js"

/** Programs that rendering needs; each is looked for when it is first asked for. */
export interface RenderTools {
  helm(): Promise<Tool>
  kustomize(): Promise<Tool>
  readonly signal?: AbortSignal | undefined
}

export interface RenderOptions {
  /** Namespace that the objects are for. */
  readonly namespace: string
  /** Version of the cluster, as "1.34.4": what a chart may ask for. */
  readonly kubeVersion?: string
}

/** What is assumed of a cluster that was not asked. */
export const assumedKubeVersion = "1.34.0"

/** Folder of the chart that Gantry owns. */
export const chartFolder = (): string => join(packageRoot(), "environments", "kubernetes", "chart")

/** The programs of this host, or in containers of its Docker Engine. */
export function renderTools(config: EngineConfig, options: ContextOptions = {}): RenderTools {
  let helm: Promise<Tool> | undefined
  let kustomize: Promise<Tool> | undefined
  return {
    helm: () => (helm ??= helmTool(config, options)),
    kustomize: () => (kustomize ??= kustomizeTool(config, options)),
    signal: options.signal,
  }
}

/**
 * The objects of Gantry's chart for these values, in the order in which Helm would install them. Nothing is asked of a
 * cluster, nothing is applied.
 * @throws CHART-VALUES when the values are not what the chart takes, CHART-RENDER with Helm's words
 */
export async function renderChart(
  tools: RenderTools,
  values: ChartInput,
  options: RenderOptions,
): Promise<readonly KubernetesObject[]> {
  const parsed = ChartValues.safeParse(values)
  if (!parsed.success) {
    throw fault({
      code: "CHART-VALUES",
      kind: "usage",
      message: `${values.service}: these values do not fit Gantry's chart`,
      reason: z.prettifyError(parsed.error),
      hint: "docs/kubernetes-chart.md has what it takes.",
    })
  }
  return helmTemplate(tools, { chart: chartFolder(), release: values.service, values: [parsed.data], options })
}

/** `helm template`, with values as data or as files. */
export async function helmTemplate(
  tools: RenderTools,
  what: {
    readonly chart: string
    readonly release: string
    readonly values: readonly (object | string)[]
    readonly options: RenderOptions
    /** Folders that are read besides the chart's. */
    readonly folders?: readonly string[]
    readonly flags?: readonly string[]
  },
): Promise<readonly KubernetesObject[]> {
  const helm = await tools.helm()
  return withScratch(async (scratch) => {
    const files = await Promise.all(
      what.values.map(async (value, index) => {
        if (typeof value === "string") return value
        const file = join(scratch, `values-${index}.json`)
        await writeFile(file, JSON.stringify(value))
        return file
      }),
    )
    const ran = await helm.run(
      [
        "template",
        what.release,
        what.chart,
        `--namespace=${what.options.namespace}`,
        `--kube-version=${what.options.kubeVersion ?? assumedKubeVersion}`,
        ...files.map((file) => `--values=${file}`),
        ...(what.flags ?? []),
      ],
      { scratch, folders: [what.chart, ...(what.folders ?? [])], signal: tools.signal },
    )
    if (ran.exitCode !== 0) {
      throw fault({
        code: "CHART-RENDER",
        kind: "usage",
        message: `${what.release}: ${helm.name} cannot render the chart ${what.chart}`,
        reason: ran.stderr.trim().slice(-4000),
        hint: `Try it by hand: helm template ${what.release} ${what.chart}`,
      })
    }
    return parseObjects(ran.stdout, `The chart ${what.chart}`)
  })
}

/** A folder that is there while `work` goes on. */
export async function withScratch<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "gantry-render-"))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
