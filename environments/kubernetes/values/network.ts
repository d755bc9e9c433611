import { z } from "zod"
import { label, passThrough } from "./types.js"

export const NetworkPolicy = z.strictObject({
  enabled: z.boolean().default(true).describe("Needs a network of the cluster that enforces policies."),
  from: z
    .array(label)
    .default([])
    .describe("Namespaces whose pods may come in: that of the gateway or the ingress controller."),
  prometheus: z
    .strictObject({
      namespace: label.optional().describe("Without: the same namespace."),
      labels: z.record(z.string(), z.string()).default({}).describe("Empty: app.kubernetes.io/name: prometheus."),
    })
    .prefault({})
    .describe("The pods that may scrape."),
  egress: z
    .array(passThrough)
    .default([])
    .describe("Further ways out, as in a NetworkPolicy: a database outside, a payment provider."),
})
