import { describe, expect, it } from "vitest"
import { findApprover, judge, mayApprove, type GateRules } from "../../../approvals/rules.js"
import { signStatement, type Approver, type Statement } from "../../../approvals/statement.js"
import { hoursLater, keyPair, kept, lin, noon, rules, statement, wang, zhao } from "./samples.js"

const linKey = keyPair()
const wangKey = keyPair()
const signer: Approver = { ...lin, publicKey: linKey.publicKey }
const withKey = { approvers: [signer, wang, zhao] }

/** What is wrong, the statement, the rules it meets, words of the reason. An hour after noon. */
const voidOnes: [string, Statement, Partial<GateRules>, RegExp][] = [
  ["of another run", statement({ run: "run-2" }), {}, /another run/],
  ["of another gate", statement({ gate: "gate-2" }), {}, /another run or gate/],
  ["of another environment", statement({ environment: "uat" }), {}, /another run or gate/],
  ["about other evidence", statement({ evidenceHash: "f".repeat(64) }), {}, /evidence has changed/],
  ["expired", statement({ expiresAt: hoursLater(0.5).toISOString() }), {}, /expired at 2026-11-20T12:30/],
  ["expired at this very moment", statement({ expiresAt: hoursLater(1).toISOString() }), {}, /expired/],
  [
    "with a longer life than the gate grants",
    statement({ at: hoursLater(-30).toISOString(), expiresAt: "2099-01-01T00:00:00Z" }),
    {},
    /expired at 2026-11-20T06:00/,
  ],
  ["with no time", statement({ at: "soon" }), {}, /expired at no time/],
  ["with no expiry", statement({ expiresAt: "never" }), {}, /expired at no time/],
  [
    "dated in the future",
    statement({ at: hoursLater(2).toISOString(), expiresAt: hoursLater(20).toISOString() }),
    {},
    /dated in the future/,
  ],
  ["of the author", statement({}, zhao), {}, /is an author/],
  [
    "of the author, by name alone",
    statement({}),
    { authors: [{ name: "LIN  release", email: "x@y.example" }] },
    /author/,
  ],
  [
    "of the author, by address alone",
    statement({}),
    { authors: [{ name: "L", email: "LIN+git@shop.example" }] },
    /author/,
  ],
  [
    "of a co-author",
    statement({}),
    {
      authors: [
        { name: "Somebody", email: "s@shop.example" },
        { name: "Lin", email: "lin@shop.example" },
      ],
    },
    /author/,
  ],
  ["of nobody", statement({ email: "eve@shop.example", by: "Eve" }), {}, /Eve.*is not an approver/],
  ["with the name in place of the address", statement({ email: lin.name }), {}, /not an approver/],
  ["under another's name", statement({ by: wang.name }), {}, /not an approver/],
  ["with a role made up", statement({ role: "dba" }), { roles: ["dba"] }, /not an approver/],
  ["of the wrong role", statement({}), { roles: ["dba", "operations"] }, /asks for dba or operations/],
  ["when nobody may", statement({}), { approvers: [] }, /not an approver/],
  ["not signed", statement({}), withKey, /not signed/],
  ["signed with another key", signStatement(statement({}), wangKey.privateKey), withKey, /not signed/],
  [
    "changed after it was signed",
    { ...signStatement(statement({}), linKey.privateKey), reason: "x" },
    withKey,
    /not signed/,
  ],
  [
    "prolonged after it was signed",
    {
      ...signStatement(statement({ expiresAt: hoursLater(0.5).toISOString() }), linKey.privateKey),
      expiresAt: hoursLater(9).toISOString(),
    },
    withKey,
    /not signed/,
  ],
  [
    "turned round after it was signed",
    { ...signStatement(statement({ decision: "rejected" }), linKey.privateKey), decision: "approved" },
    withKey,
    /not signed/,
  ],
  ["with rubbish for a signature", statement({ signature: "%%%" }), withKey, /not signed/],
  ["with an empty signature", statement({ signature: "" }), withKey, /not signed/],
]

describe("an approval does not count", () => {
  it.each(voidOnes)("%s", (_, s, over, why) => {
    const judgement = judge([kept(s)], rules(over), hoursLater(1))
    expect(judgement).toMatchObject({ verdict: "waiting", missing: 1, counted: [], void: [{ statement: s }] })
    expect(judgement.verdict === "waiting" && judgement.void[0]?.why).toMatch(why)
  })

  it.each([
    ["that only its run knows", { filed: true, logged: false }, /audit log/],
    ["that only the audit log knows", { filed: false, logged: true }, /decisions of the run/],
  ])("%s", (_, where, why) => {
    const judgement = judge([{ statement: statement(), ...where }], rules(), noon)
    expect(judgement.verdict === "waiting" && judgement.void[0]?.why).toMatch(why)
  })
})

describe("an approval counts", () => {
  it.each([
    ["plain", statement({}), {}],
    ["just before it expires", statement({ expiresAt: hoursLater(1.01).toISOString() }), {}],
    ["with a clock that is half a minute ahead", statement({ at: hoursLater(1 + 1 / 120).toISOString() }), {}],
    ["of the role that is asked for", statement({}), { roles: ["dba", "release-manager"] }],
    ["signed", signStatement(statement({}), linKey.privateKey), withKey],
    ["signed without need", signStatement(statement({}), linKey.privateKey), {}],
  ] satisfies [string, Statement, Partial<GateRules>][])("%s", (_, s, over) => {
    expect(judge([kept(s)], rules(over), hoursLater(1))).toEqual({ verdict: "approved", by: [s] })
  })
})

describe("several people", () => {
  const two = (over: Partial<GateRules> = {}) => rules({ required: 2, ...over })
  it("one is not two, however often", () => {
    const again = [statement(), statement({ reason: "again" }), statement({ at: hoursLater(0.5).toISOString() })]
    expect(judge(again.map(kept), two(), hoursLater(1))).toMatchObject({ verdict: "waiting", missing: 1 })
  })
  it("one is not two by spelling the address another way", () => {
    const twice = [statement(), statement({ email: "LIN@shop.example" }), statement({ email: "Lin Release" })]
    expect(judge(twice.map(kept), two(), hoursLater(1))).toMatchObject({ verdict: "waiting", missing: 1 })
  })
  it("two are two, and the author is none of them", () => {
    const all = [statement({}, zhao), statement(), statement({}, wang)].map(kept)
    expect(judge(all.slice(0, 2), two(), hoursLater(1))).toMatchObject({ missing: 1, counted: [{ by: lin.name }] })
    expect(judge(all, two(), hoursLater(1))).toMatchObject({
      verdict: "approved",
      by: [{ by: lin.name }, { by: wang.name }],
    })
  })
  it("both need one of the roles", () => {
    const all = [statement(), statement({}, wang)].map(kept)
    expect(judge(all, two({ roles: ["release-manager"] }), noon)).toMatchObject({ verdict: "waiting", missing: 1 })
    expect(judge(all, two({ roles: ["release-manager", "operations"] }), noon)).toMatchObject({ verdict: "approved" })
  })
  it("an approval that has expired leaves the other alone", () => {
    const old = statement({ expiresAt: hoursLater(0.5).toISOString() })
    const judgement = judge([old, statement({}, wang)].map(kept), two(), hoursLater(1))
    expect(judgement).toMatchObject({
      verdict: "waiting",
      missing: 1,
      counted: [{ by: wang.name }],
      void: [{ statement: old }],
    })
  })
})

describe("a rejection", () => {
  const no = statement({ decision: "rejected", reason: "the cart is broken" }, wang)
  it.each([
    ["before an approval", [no, statement()]],
    ["after an approval", [statement(), no]],
    ["of one who approved before", [statement({}, wang), no]],
    ["of one who approves later", [no, statement({}, wang)]],
    ["of the author", [statement(), statement({ decision: "rejected" }, zhao)]],
    ["of another evidence of the run", [statement(), { ...no, evidenceHash: "0".repeat(64) }]],
    ["that is old", [statement(), { ...no, at: "2026-01-01T00:00:00Z", expiresAt: "2026-01-02T00:00:00Z" }]],
  ])("stands %s", (_, all) => {
    expect(judge(all.map(kept), rules(), hoursLater(1))).toMatchObject({
      verdict: "rejected",
      by: { decision: "rejected" },
    })
  })
  it.each([
    ["the run", { filed: true, logged: false }],
    ["the audit log", { filed: false, logged: true }],
  ])("stands also when only %s knows it", (_, where) => {
    expect(judge([{ statement: no, ...where }, kept(statement())], rules(), noon)).toMatchObject({
      verdict: "rejected",
    })
  })
  it.each([
    ["of nobody", { ...no, email: "eve@shop.example" }, {}],
    ["of another run", { ...no, run: "run-2" }, {}],
    ["not signed where signatures are asked for", no, { approvers: [lin, { ...wang, publicKey: wangKey.publicKey }] }],
  ] satisfies [string, Statement, Partial<GateRules>][])("does not count %s", (_, s, over) => {
    expect(judge([kept(s)], rules(over), noon)).toMatchObject({ verdict: "waiting", missing: 1 })
  })
})

it("no statement is no approval", () => {
  expect(judge([], rules(), noon)).toEqual({ verdict: "waiting", missing: 1, counted: [], void: [] })
})

it.each([
  ["lin@shop.example", lin],
  ["LIN@SHOP.example", lin],
  ["  lin release ", lin],
  ["wang ops", wang],
  ["Lin", undefined],
  ["", undefined],
])("approver %j", (who, expected) => {
  expect(findApprover(who, [lin, wang])).toBe(expected)
})

it("a name that fits two names nobody", () => {
  expect(findApprover("Lin Release", [lin, { ...lin, email: "other@shop.example" }])).toBeUndefined()
})

it("who may approve: by role, without the authors", () => {
  expect(mayApprove(rules())).toEqual([lin, wang])
  expect(mayApprove(rules({ roles: ["operations", "developer"] }))).toEqual([wang])
})
