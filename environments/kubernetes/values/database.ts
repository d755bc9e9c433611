import { z } from "zod"
import { Resources, SecurityContext } from "./pod.js"
import { Image, int, quantity } from "./types.js"

export const Database = z.strictObject({
  kind: z.literal("mariadb"),
  image: Image,
  name: z
    .string()
    .regex(/^[A-Za-z0-9_]+$/)
    .describe("Name of the database."),
  user: z
    .string()
    .regex(/^[A-Za-z0-9_]+$/)
    .describe("The service's account."),
  secret: z.string().describe("Existing Secret with the keys password and root-password."),
  storage: quantity.default("10Gi").describe("Size of its volume."),
  storageClass: z.string().optional().describe("Without: the cluster's default."),
  resources: Resources.prefault({}),
  // The official image's user mysql has 999; an image made from Debian's packages takes any.
  securityContext: SecurityContext.prefault({ runAsUser: 999, runAsGroup: 999, fsGroup: 999 }),
})

export const Migration = z.strictObject({
  command: z.array(z.string()).min(1).describe("What runs in the service's image."),
  key: z.string().default("").describe("What it was made for: annotation gantry.dev/migration-key."),
  timeoutSeconds: int(1, 86400).default(900).describe("How long its command may run."),
  prepareSeconds: int(0, 86400)
    .default(300)
    .describe("Before that: a node is found, the image fetched, the database reached. It is ended after both."),
})
