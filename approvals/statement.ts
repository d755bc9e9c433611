import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto"
import { z } from "zod"
import { fault } from "../core/errors.js"
import { canonicalJson } from "../core/json.js"

/** A person's word about one piece of evidence. Whoever changes any of it, or the evidence, makes it void. */
export const Statement = z.strictObject({
  schema: z.literal(1),
  run: z.string(),
  gate: z.string(),
  environment: z.string(),
  decision: z.enum(["approved", "rejected"]),
  by: z.string(),
  email: z.string(),
  role: z.string(),
  reason: z.string(),
  /** ISO 8601, UTC. */
  at: z.string(),
  expiresAt: z.string(),
  /** SHA-256 over the canonical JSON of the evidence. */
  evidenceHash: z.string(),
  /** Ed25519 over the canonical JSON of all the fields above, base64. Demanded where the approver's public key is configured. */
  signature: z.string().optional(),
})
export type Statement = z.infer<typeof Statement>

/** Who may decide, as the configuration names them. */
export const Approver = z.strictObject({
  name: z.string().min(1),
  email: z.email(),
  /** e.g. "release-manager", "dba": an environment can demand roles. */
  role: z.string().default("approver"),
  /** Ed25519 public key, PEM. With one, a statement of this person counts only when it is signed. */
  publicKey: z.string().optional(),
})
export type Approver = z.infer<typeof Approver>

function signedText(statement: Statement): Buffer {
  return Buffer.from(canonicalJson({ ...statement, signature: undefined }))
}

/** Signs a statement. @param privateKey PEM of an Ed25519 key @throws APPROVAL-KEY */
export function signStatement(statement: Statement, privateKey: string): Statement {
  try {
    const signature = sign(null, signedText(statement), createPrivateKey(privateKey)).toString("base64")
    return { ...statement, signature }
  } catch (cause) {
    throw fault({
      code: "APPROVAL-KEY",
      kind: "usage",
      message: "The key does not sign",
      reason: (cause as Error).message,
      hint: "Give the PEM file of an Ed25519 private key: openssl genpkey -algorithm ed25519 -out key.pem",
      cause,
    })
  }
}

/** Whether the signature is the work of this public key (PEM). False for anything malformed. */
export function isSignedBy(statement: Statement, publicKey: string): boolean {
  if (statement.signature === undefined) return false
  try {
    return verify(null, signedText(statement), createPublicKey(publicKey), Buffer.from(statement.signature, "base64"))
  } catch {
    return false // A key or signature that cannot be read proves nothing.
  }
}
