import { z } from "zod"
import { track } from "./scaling.js"
import { int, label } from "./types.js"

const host = z.string().regex(/^(\*\.)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, "a host name")
const nodePort = int(1, 65535).optional()
const parent = z.strictObject({
  gateway: label.describe("Name of the Gateway."),
  namespace: label.optional().describe("Its namespace, where that is another one."),
  sectionName: z.string().optional().describe("One of its listeners."),
  hostnames: z.array(host).default([]).describe("Empty: those of the listener."),
})

export const Exposure = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("none") }).describe("Only from within the cluster."),
  z
    .strictObject({ kind: z.literal("nodePort"), port: nodePort, previewPort: nodePort })
    .describe("A port of every node; without a number the cluster picks one."),
  parent
    .extend({
      kind: z.literal("gateway"),
      path: z.string().regex(/^\//).default("/"),
      preview: parent.partial().optional().describe("Where people look at the new release, as far as it differs."),
    })
    .describe("HTTPRoutes of the Gateway API."),
  z
    .strictObject({
      kind: z.literal("ingress"),
      className: z.string().optional(),
      host: host.optional(),
      path: z.string().regex(/^\//).default("/"),
      tls: z.strictObject({ secretName: z.string() }).optional(),
      annotations: z.record(z.string(), z.string()).default({}),
      preview: z.strictObject({ host }).optional().describe("Where people look at the new release."),
      canary: z.boolean().default(true).describe("Weights by the annotations of ingress-nginx."),
    })
    .describe("An Ingress; its weights need ingress-nginx."),
])

const weight = int(0, 1_000_000)

export const Traffic = z.strictObject({
  active: track.default("blue").describe("The track that users see."),
  weights: z
    .strictObject({ blue: weight, green: weight })
    .optional()
    .describe("Shares of the tracks on a route or an ingress. Without: all to the active one."),
  preview: z.enum(["blue", "green", "none"]).default("none").describe("The track on the preview address."),
  byReplicas: z
    .boolean()
    .default(false)
    .describe("The service's address reaches both tracks: each gets its share of the instances."),
  held: z
    .boolean()
    .default(false)
    .describe("The autoscaler takes no instance away: while two releases share the traffic, both stay whole."),
  note: z.string().default("").describe("What Gantry remembers of it: annotation gantry.dev/traffic of the Service."),
  testers: z
    .strictObject({ name: z.string().regex(/^[A-Za-z0-9-]+$/), value: z.string() })
    .optional()
    .describe("Requests with this header go to the track that is not active."),
})
