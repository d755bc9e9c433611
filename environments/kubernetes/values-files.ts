import { stringify } from "yaml"
import { z } from "zod"
import { ChartValues } from "./values.js"
import { Migration } from "./values/database.js"

/** The files of the chart that are made from the typed values. A test holds the committed ones against them. */

const made =
  "Generated from environments/kubernetes/values.ts; do not edit. Renewed by: npx vitest run -u --project unit test/unit/environments/kubernetes"

/** What the fields are without anything being said. */
const defaults: Readonly<Record<string, unknown>> = ChartValues.partial({ service: true, image: true }).parse({})

/** `values.schema.json`: draft 7, which every Helm 3 reads. */
export function valuesSchema(): object {
  return {
    title: "Values of Gantry's chart of a service",
    ...z.toJSONSchema(ChartValues, { target: "draft-7", io: "input" }),
    $comment: made,
  }
}

/** `values.yaml`: every field with its default; those without one are comments. */
export function valuesYaml(): string {
  const fields = Object.entries(ChartValues.shape).map(([name, schema]) => {
    const comment = `# ${schema.description ?? ""}`
    const value = defaults[name]
    return value === undefined ? `${comment}\n# ${name}:` : `${comment}\n${stringify({ [name]: value }).trimEnd()}`
  })
  return `# ${made}\n\n${fields.join("\n\n")}\n`
}

/** The table of the values, in Markdown. */
export function valuesTable(): string {
  const code = (value: unknown) => (value === undefined ? "" : `\`${JSON.stringify(value)}\``)
  const rows = Object.entries(ChartValues.shape).map(([name, schema]) => {
    const required = name === "service" || name === "image"
    return `| \`${name}\` | ${required ? "**required**" : code(defaults[name])} | ${(schema.description ?? "").replaceAll("|", "\\|").replaceAll("<", "&lt;")} |`
  })
  return ["| value | default | |", "|---|---|---|", ...rows].join("\n")
}

/**
 * `templates/_defaults.tpl`: what Helm cannot fill in from values.yaml, the defaults within objects that may be absent.
 * Templates lay the values over them.
 */
export function defaultsTemplate(): string {
  const { database, autoscaling } = ChartValues.parse({
    service: "x",
    image: sample,
    database: { kind: "mariadb", image: sample, name: "x", user: "x", secret: "x" },
    autoscaling: { cpu: 1, requestsPerSecond: { average: "1" } },
  })
  const blocks = {
    database: { ...database, image: undefined, name: undefined, user: undefined, secret: undefined },
    autoscaling: { ...autoscaling, cpu: undefined, requestsPerSecond: undefined },
    requestsPerSecond: { metric: autoscaling?.requestsPerSecond?.metric },
    migration: { ...Migration.parse({ command: ["x"] }), command: undefined },
  }
  const defined = Object.entries(blocks).map(
    ([name, value]) => `{{- define "gantry.defaults.${name}" -}}\n${JSON.stringify(value)}\n{{- end }}\n`,
  )
  return `{{/* ${made} */}}\n\n${defined.join("\n")}`
}

const sample = { repository: "example/x", digest: `sha256:${"0".repeat(64)}` }
