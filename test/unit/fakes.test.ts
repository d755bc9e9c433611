import { describe, expect, it } from "vitest"
import { description } from "../fakes/described.js"

/** What keeps the fakes of code hosts from saying what the real ones would not. */
describe("an exchange that the description does not allow", () => {
  const gitlab = description("gitlab")
  const exchange = (method: string, path: string, more: object = {}) =>
    gitlab.problems({
      method,
      url: new URL(`http://x/gl/api/v4${path}`),
      base: "/gl",
      body: undefined,
      status: 200,
      answer: [],
      ...more,
    })
  const job = { id: 1, name: "gate", status: "success", pipeline: { id: 7 } }

  const approvals = "/projects/1/merge_requests/7/approvals"
  const community = { user_has_approved: false, user_can_approve: false, approved: false, approved_by: [] }

  it.each([
    ["all is well", exchange("GET", "/projects/a%2Fb/pipelines/7/jobs?include_retried=true", { answer: [job] }), undefined],
    ["a path", exchange("GET", "/projects/1/jobs/2/play"), /not described/],
    ["a method", exchange("DELETE", "/projects/1/deployments/3"), /not described/],
    ["a parameter", exchange("GET", "/projects/1/pipelines/7/jobs?retried=true"), /query "retried" is not described/],
    ["a parameter's value", exchange("GET", "/projects/1/pipelines?order_by=name"), /query order_by must be equal/],
    ["a parameter that is missing", exchange("GET", "/projects/1/jobs/artifacts/main/raw/a/b.json"), /query "job" is missing/],
    ["a body's member", exchange("POST", "/projects/1/statuses/abc", { body: { state: "success", colour: "red" }, status: 201, answer: {} }), /additional properties/],
    ["a body's value", exchange("POST", "/projects/1/statuses/abc", { body: { state: "green" }, status: 201, answer: {} }), /must be equal/],
    ["a member of an answer", exchange("GET", "/projects/1/pipelines/7/jobs", { answer: [{ ...job, playedBy: "x" }] }), /additional properties/],
    ["a member that is missing", exchange("GET", "/job", { answer: { id: 1 } }), /required/],
    ["a member that may not be null", exchange("GET", "/job", { answer: { ...job, pipeline: null } }), /pipeline must be object/],
    ["an answer of either edition", exchange("GET", approvals, { answer: community }), undefined],
    ["an answer of either edition", exchange("GET", approvals, { answer: { ...community, iid: 7, approvals_required: 0, approvals_left: 0 } }), undefined],
    ["an answer of neither edition", exchange("GET", approvals, { answer: { ...community, iid: 7 } }), /answer 200/],
    ["a status", exchange("GET", "/job", { status: 206, answer: {} }), /answer 206 is not described/],
  ])("%s", (_, problems, expected) => {
    if (expected === undefined) expect(problems).toEqual([])
    else expect(problems.join("\n")).toMatch(expected)
  }) // prettier-ignore
})
