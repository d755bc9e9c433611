import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { Ajv } from "ajv"
import { describe, expect, it } from "vitest"
import { ChartValues } from "../../../../environments/kubernetes/values.js"
import { combinations, digest, least } from "../../../fakes/chart-values.js"

const chart = join(import.meta.dirname, "../../../../environments/kubernetes/chart")
const validate = new Ajv({ strict: false }).compile(
  JSON.parse(await readFile(join(chart, "values.schema.json"), "utf8")) as object,
)

const refused: Readonly<Record<string, unknown>> = {
  "a tag": { ...least, image: { repository: "reg.example/shop/order:1.2", digest: digest("a") } },
  "a tag beside the digest": { ...least, image: { ...least.image, tag: "1.2" } },
  "a tag instead of the digest": { ...least, image: { repository: "reg.example/shop/order", digest: "1.2" } },
  "no image": { service: "order" },
  "a field that is not known": { ...least, replica: 3 },
  "a field within that is not known": { ...least, rolling: { maxSurges: 1 } },
  "a service that cannot be a DNS name": { ...least, service: "Order_1" },
  "a track that there is not": { ...least, track: "red" },
  "an exposure without its gateway": { ...least, exposure: { kind: "gateway" } },
  "fields of another exposure": { ...least, exposure: { kind: "none", host: "a.example" } },
  "a share that is no percentage": { ...least, rolling: { maxSurge: "101%" } },
  "a cron line of six fields": { ...least, schedules: [{ name: "a", cron: "* * * * * *", replicas: 1 }] },
  "a variable with a dash": { ...least, env: { "A-B": "1" } },
}

describe("the chart's values", () => {
  it.each(Object.entries(combinations))("takes %s, typed and by the schema", (_name, values) => {
    expect(() => ChartValues.parse(values)).not.toThrow()
    // As JSON: what is undefined is not there.
    validate(JSON.parse(JSON.stringify(values)))
    expect(validate.errors).toBeNull()
  })

  it.each(Object.entries(refused))("refuses %s, typed and by the schema", (_name, values) => {
    expect(ChartValues.safeParse(values).success).toBe(false)
    expect(validate(values)).toBe(false)
  })

  it.each([
    ["both kinds of a budget", { ...least, pdb: { minAvailable: 1, maxUnavailable: 1 } }, /one of the two/],
    ["an autoscaler upside down", { ...least, autoscaling: { min: 5, max: 2, cpu: 50 } }, /max is below min/],
    ["an autoscaler that looks at nothing", { ...least, autoscaling: { min: 1, max: 2 } }, /none of cpu/],
  ])("refuses %s", (_name, values, reason) => {
    expect(ChartValues.safeParse(values).error?.message).toMatch(reason)
  })
})
