import { describe, expect, it } from "vitest"
import { judge, type Decision, type GateRules, type Statement } from "../../../approvals/index.js"

const now = new Date("2026-11-25T12:00:00Z")
const lin = { name: "Lin Release", email: "lin@shop.example", role: "release-manager", gitlab: "lin" }
const rules: GateRules = {
  run: "gitlab-77",
  gate: "gate",
  environment: "prod",
  required: 1,
  roles: [],
  expiresAfterHours: 24,
  approvers: [lin],
  authors: [{ name: "Zhao", email: "zhao@shop.example" }],
  evidenceHash: "e",
  host: { kind: "gitlab", authors: [] },
}
const via = {
  host: "gitlab" as const,
  url: "u",
  project: "42",
  pipeline: "77",
  how: "play" as const,
  job: "1",
  user: "lin",
}
const statement = (more: Partial<Statement> = {}): Statement => ({
  schema: 1,
  run: "gitlab-77",
  gate: "gate",
  environment: "prod",
  decision: "approved",
  by: lin.name,
  email: lin.email,
  role: lin.role,
  reason: "tested",
  at: "2026-11-25T11:00:00Z",
  expiresAt: "2026-11-26T11:00:00Z",
  evidenceHash: "e",
  via,
  ...more,
})
const decision = (more: Partial<Decision> = {}, of: Partial<Statement> = {}): Decision => ({
  statement: statement(of),
  filed: true,
  logged: false,
  confirmed: true,
  ...more,
})
const why = (one: Decision, changed: Partial<GateRules> = {}) => {
  const judgement = judge([one], { ...rules, ...changed }, now)
  return judgement.verdict === "waiting" ? judgement.void[0]?.why : judgement.verdict
}

describe("statements that a code host vouches for", () => {
  it.each([
    ["what the host confirms counts, without the audit log", decision(), {}, "approved"],
    ["what it denies does not", decision({ confirmed: "GitLab knows no play 1" }), {}, "GitLab knows no play 1"],
    ["what nobody asked about does not", decision({ confirmed: undefined as never }), {}, "gitlab was not asked about it"],
    ["another user's act does not", decision({}, { via: { ...via, user: "mallory" } }), {}, "mallory is not the user name of Lin Release at gitlab"],
    ["nor one of an approver without a user name", decision(), { approvers: [{ ...lin, gitlab: undefined }] }, "lin is not the user name of Lin Release at gitlab"],
    ["nor the author of the merge request's", decision(), { host: { kind: "gitlab" as const, authors: ["LIN"] } }, "Lin Release is the author of the merge request"],
    ["nor one about other evidence", decision({}, { evidenceHash: "f" }), {}, "the evidence has changed since"],
    ["nor one that ran out", decision({}, { at: "2026-11-20T11:00:00Z" }), {}, "it expired at 2026-11-21T11:00:00.000Z"],
    ["a no stands whether or not the host confirms it", decision({ confirmed: "gone" }, { decision: "rejected" }), {}, "rejected"],
    ["an unsigned file without an act is nothing in a pipeline, in the audit log, too", decision({ logged: true }, { via: undefined }), {}, "in a pipeline only what the code host confirms counts, or a signature"],
    ["and neither is its no", decision({ logged: true }, { via: undefined, decision: "rejected" as const }), {}, "in a pipeline only what the code host confirms counts, or a signature"],
    ["outside of pipelines it is as ever", decision({ logged: true }, { via: undefined }), { host: undefined as never }, "approved"],
  ])("%s", (_, one, changed, expected) => {
    expect(why(one, changed)).toBe(expected)
  }) // prettier-ignore
})
