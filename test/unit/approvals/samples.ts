import { generateKeyPairSync } from "node:crypto"
import type { Decision } from "../../../approvals/decisions.js"
import type { GateRules } from "../../../approvals/rules.js"
import type { Approver, Statement } from "../../../approvals/statement.js"

/** Noon of a day; statements of these tests are of this moment. */
export const noon = new Date("2026-11-20T12:00:00.000Z")
export const hoursLater = (hours: number, from = noon) => new Date(from.getTime() + hours * 3_600_000)

export const lin: Approver = { name: "Lin Release", email: "lin@shop.example", role: "release-manager" }
export const wang: Approver = { name: "Wang Ops", email: "wang@shop.example", role: "operations" }
export const zhao: Approver = { name: "Zhao Author", email: "zhao@shop.example", role: "developer" }

export const rules = (over: Partial<GateRules> = {}): GateRules => ({
  run: "run-1",
  gate: "gate",
  environment: "prod",
  required: 1,
  roles: [],
  expiresAfterHours: 24,
  approvers: [lin, wang, zhao],
  authors: [{ name: "Zhao Author", email: "zhao@shop.example" }],
  evidenceHash: "e".repeat(64),
  ...over,
})

export const statement = (over: Partial<Statement> = {}, of: Approver = lin): Statement => ({
  schema: 1,
  run: "run-1",
  gate: "gate",
  environment: "prod",
  decision: "approved",
  by: of.name,
  email: of.email,
  role: of.role,
  reason: "tested by QA",
  at: noon.toISOString(),
  expiresAt: hoursLater(24).toISOString(),
  evidenceHash: "e".repeat(64),
  ...over,
})

/** A decision that both places know. */
export const kept = (s: Statement): Decision => ({ statement: s, filed: true, logged: true })

export function keyPair(type: "ed25519" | "rsa" = "ed25519") {
  const { publicKey, privateKey } =
    type === "ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("rsa", { modulusLength: 2048 })
  return {
    publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  }
}
