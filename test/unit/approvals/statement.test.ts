import { expect, it } from "vitest"
import { Approver, isSignedBy, signStatement, Statement } from "../../../approvals/statement.js"
import { keyPair, statement } from "./samples.js"

const key = keyPair()
const rsa = keyPair("rsa")

it("a signature is of one key and one text", () => {
  const signed = signStatement(statement(), key.privateKey)
  expect(isSignedBy(signed, key.publicKey)).toBe(true)
  expect(isSignedBy(JSON.parse(JSON.stringify(signed)) as Statement, key.publicKey)).toBe(true)
  expect(isSignedBy(signed, keyPair().publicKey)).toBe(false)
  for (const field of [
    "run",
    "gate",
    "environment",
    "by",
    "email",
    "role",
    "reason",
    "at",
    "expiresAt",
    "evidenceHash",
  ]) {
    expect(isSignedBy({ ...signed, [field]: "other" }, key.publicKey), field).toBe(false)
  }
})

it.each([
  ["no key", "hello", /PEM/],
  ["a public key", key.publicKey, /PEM/],
  ["a key of another kind", rsa.privateKey, /rsa/],
])("does not sign with %s", (_, pem, reason) => {
  try {
    signStatement(statement(), pem)
    expect.unreachable()
  } catch (error) {
    expect(error).toMatchObject({
      code: "APPROVAL-KEY",
      kind: "usage",
      reason: expect.stringMatching(reason) as string,
    })
  }
})

it("a key of another kind, or none, verifies nothing", () => {
  const signed = signStatement(statement(), key.privateKey)
  expect(isSignedBy(signed, rsa.publicKey)).toBe(false)
  expect(isSignedBy(signed, "")).toBe(false)
  expect(isSignedBy(signed, key.privateKey)).toBe(false)
})

it.each([
  ["the private key", key.privateKey, /private key/],
  ["RSA", rsa.publicKey, /Ed25519.*rsa/],
  ["no PEM", "ssh-ed25519 AAAA", /not a public key/],
])("the configuration refuses %s for a public key", (_, publicKey, message) => {
  const parsed = Approver.safeParse({ name: "Lin", email: "lin@shop.example", publicKey })
  expect(parsed.error?.issues).toMatchObject([
    { path: ["publicKey"], message: expect.stringMatching(message) as string },
  ])
})

it.each([
  ["a further field", { ...statement(), admin: true }],
  ["no reason", statement({ reason: " \n" })],
  ["a date that is none", statement({ at: "yesterday" })],
  ["a date without a zone", statement({ at: "2026-11-20T12:00:00" })],
  ["another version", { ...statement(), schema: 2 }],
  ["another decision", { ...statement(), decision: "maybe" }],
])("no statement: %s", (_, value) => {
  expect(Statement.safeParse(value).success).toBe(false)
})
