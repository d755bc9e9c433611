import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto"
import { z } from "zod"
import { fault } from "../core/errors.js"
import { canonicalJson } from "../core/json.js"

/** Where a code host knows the act behind a statement: whoever doubts the statement asks there. */
export const Via = z.strictObject({
  host: z.enum(["gitlab", "github"]),
  url: z.string(),
  project: z.string(),
  pipeline: z.string(),
  /** Played the gate's job, approved its deployment, reviewed its environment. */
  how: z.enum(["play", "deployment", "review"]),
  /** Id of the job that was played, of the deployment, of the run whose environment was reviewed. */
  job: z.string(),
  /** User name there. */
  user: z.string(),
})
export type Via = z.infer<typeof Via>

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
  reason: z.string().regex(/\S/, "a decision needs a reason"),
  /** ISO 8601, UTC. */
  at: z.iso.datetime(),
  /** An approval is void from then on; a rejection stands. */
  expiresAt: z.iso.datetime(),
  /** SHA-256 over the canonical JSON of the evidence. */
  evidenceHash: z.string(),
  /** Decided at a code host. Then the host's answer is the proof, and no signature. */
  via: Via.optional(),
  /** Ed25519 over the canonical JSON of all the fields above, base64. Demanded where the approver's public key is configured. */
  signature: z.string().optional(),
})
export type Statement = z.infer<typeof Statement>

/** Who may decide, as the configuration names them. */
export const Approver = z.strictObject({
  name: z.string().trim().min(1),
  email: z.email(),
  /** e.g. "release-manager", "dba": an environment can demand roles. */
  role: z.string().min(1).default("approver"),
  /** User name at GitLab, for gates that are decided there. */
  gitlab: z.string().trim().min(1).optional(),
  /** User name at GitHub. */
  github: z.string().trim().min(1).optional(),
  /** Ed25519 public key, PEM. With one, a statement of this person counts only when it is signed. */
  publicKey: z
    .string()
    .superRefine((pem, context) => {
      const wrong = whyNoPublicKey(pem)
      if (wrong !== undefined) context.addIssue({ code: "custom", message: wrong })
    })
    .optional(),
})
export type Approver = z.infer<typeof Approver>

/** Undefined when a PEM is a public key that signatures can be checked with. */
function whyNoPublicKey(pem: string): string | undefined {
  // Node would take a private key here and derive the public one; that key would then lie in the repository for all to read.
  if (pem.includes("PRIVATE KEY"))
    return "this is the private key; put the public one here: openssl pkey -in key.pem -pubout"
  try {
    const type = createPublicKey(pem).asymmetricKeyType
    return type === "ed25519" ? undefined : `an Ed25519 key is needed, this is ${type ?? "none"}`
  } catch {
    return "not a public key in PEM: openssl pkey -in key.pem -pubout prints one"
  }
}

/** The first line keeps a signature made for something else from counting here, and the other way round. */
function signedText(statement: Statement): Buffer {
  return Buffer.from(`gantry approval statement 1\n${canonicalJson({ ...statement, signature: undefined })}`)
}

/** Signs a statement. @param privateKey PEM of an Ed25519 key @throws APPROVAL-KEY */
export function signStatement(statement: Statement, privateKey: string): Statement {
  try {
    const key = createPrivateKey(privateKey)
    if (key.asymmetricKeyType !== "ed25519") throw new Error(`It is a key for ${key.asymmetricKeyType ?? "nothing"}.`)
    return { ...statement, signature: sign(null, signedText(statement), key).toString("base64") }
  } catch (cause) {
    throw fault({
      code: "APPROVAL-KEY",
      kind: "usage",
      message: "The key does not sign",
      reason:
        (cause as NodeJS.ErrnoException).code === undefined
          ? (cause as Error).message
          : "It is not a private key in PEM, or it has a passphrase.",
      hint: "Give the PEM file of an Ed25519 private key: openssl genpkey -algorithm ed25519 -out key.pem",
      cause,
    })
  }
}

/** Whether the signature is the work of this public key (PEM). False for anything malformed. */
export function isSignedBy(statement: Statement, publicKey: string): boolean {
  if (statement.signature === undefined || whyNoPublicKey(publicKey) !== undefined) return false
  try {
    return verify(null, signedText(statement), createPublicKey(publicKey), Buffer.from(statement.signature, "base64"))
  } catch {
    return false // A signature that cannot be read proves nothing.
  }
}
