import { z } from "zod"
import { int, label, quantity } from "./types.js"

export const track = z.enum(["blue", "green"])
export type Track = z.infer<typeof track>

export const Autoscaling = z
  .strictObject({
    min: int(1, 1000).default(2).describe("Fewest instances."),
    max: int(1, 1000).default(10).describe("Most instances."),
    cpu: int(1, 1000).optional().describe("Wanted use of the processors, percent of what was requested."),
    memory: int(1, 1000).optional().describe("Wanted use of memory, percent of what was requested."),
    requestsPerSecond: z
      .strictObject({
        metric: z.string().default("http_requests_per_second").describe("Name in the custom metrics API."),
        average: quantity.describe("Wanted average of an instance."),
      })
      .optional()
      .describe("Requests that an instance serves; needs a custom metrics API (Prometheus Adapter, KEDA)."),
    scaleDownSeconds: int(0, 3600).default(300).describe("It has to be calm for so long before instances go."),
  })
  .refine((a) => a.min <= a.max, { path: ["max"], message: "max is below min" })
  .refine((a) => (a.cpu ?? a.memory ?? a.requestsPerSecond) !== undefined, "none of cpu, memory, requestsPerSecond")

export const Schedule = z.strictObject({
  name: label.max(15).describe("Part of the CronJob's name."),
  cron: z
    .string()
    .regex(/^\S+( \S+){4}$/, "five fields")
    .describe("When, in cron's five fields."),
  timeZone: z.string().default("Etc/UTC").describe('As in "Asia/Shanghai".'),
  min: int(1, 1000).optional().describe("From then on fewest instances; with an autoscaler."),
  max: int(1, 1000).optional().describe("From then on most instances; with an autoscaler."),
  replicas: int(0, 1000).optional().describe("From then on so many instances; without an autoscaler."),
})
